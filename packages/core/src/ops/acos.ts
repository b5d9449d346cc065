import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Arc cosine. */
export const acos = unary({
  name: 'Acos',
  summary: 'Angle in [0, π] whose cosine is `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.acos(x[i]!);
  },
  rounding: ofOne(3),
  examples: [
    [1, 0],
    [0.5, Math.PI / 3],
    [-1, Math.PI],
  ],
});
