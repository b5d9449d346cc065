import { unary } from './families/unary.js';

/** Inverse hyperbolic sine. */
export const asinh = unary({
  name: 'Asinh',
  summary: 'Number whose hyperbolic sine is `x`.',
  f: Math.asinh,
  ulp: 4,
  examples: [
    [0, 0],
    [0.75, Math.log(2)],
    [-0.75, -Math.log(2)],
  ],
});
