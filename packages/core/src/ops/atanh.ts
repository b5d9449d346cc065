import { unary } from './families/unary.js';

/** Inverse hyperbolic tangent. */
export const atanh = unary({
  name: 'Atanh',
  summary: 'Number whose hyperbolic tangent is `x`; NaN outside [-1, 1].',
  f: Math.atanh,
  ulp: 4,
  examples: [
    [0, 0],
    [0.6, Math.log(2)],
    [1, Infinity],
  ],
});
