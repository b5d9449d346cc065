import { unary } from './families/unary.js';

/** Hyperbolic sine. */
export const sinh = unary({
  name: 'Sinh',
  summary: 'Hyperbolic sine of `x`.',
  f: Math.sinh,
  ulp: 4,
  examples: [
    [0, 0],
    [Math.log(2), 0.75],
    [-Math.log(2), -0.75],
  ],
});
