import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Inverse hyperbolic sine. */
export const asinh = unary({
  name: 'Asinh',
  summary: 'Number whose hyperbolic sine is `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.asinh(x[i]!);
  },
  rounding: ofOne(4),
  examples: [
    [0, 0],
    [0.75, Math.log(2)],
    [-0.75, -Math.log(2)],
  ],
});
