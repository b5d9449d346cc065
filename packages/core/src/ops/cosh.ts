import { unary } from './families/unary.js';

/** Hyperbolic cosine. */
export const cosh = unary({
  name: 'Cosh',
  summary: 'Hyperbolic cosine of `x`.',
  f: Math.cosh,
  ulp: 4,
  examples: [
    [0, 1],
    [Math.log(2), 1.25],
    [-Math.log(2), 1.25],
  ],
});
