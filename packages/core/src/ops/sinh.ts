import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Hyperbolic sine. */
export const sinh = unary({
  name: 'Sinh',
  summary: 'Hyperbolic sine of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.sinh(x[i]!);
  },
  rounding: ofOne(3),
  examples: [
    [0, 0],
    [Math.log(2), 0.75],
    [-Math.log(2), -0.75],
  ],
});
