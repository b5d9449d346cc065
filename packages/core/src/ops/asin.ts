import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Arc sine. */
export const asin = unary({
  name: 'Asin',
  summary: 'Angle in [-π/2, π/2] whose sine is `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.asin(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 0],
    [0.5, Math.PI / 6],
    [1, Math.PI / 2],
    [2, NaN],
  ],
});
