import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Cosine. */
export const cos = unary({
  name: 'Cos',
  summary: 'Cosine of `x` in radians.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.cos(x[i]!);
  },
  rounding: ofElement(2),
  examples: [
    [0, 1],
    [Math.PI / 3, 0.5],
    [Math.PI, -1],
  ],
});
