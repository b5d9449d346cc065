import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Tangent. */
export const tan = unary({
  name: 'Tan',
  summary: 'Tangent of `x` in radians.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.tan(x[i]!);
  },
  rounding: ofElement(5),
  examples: [
    [0, 0],
    [Math.PI / 4, 1],
    [-Math.PI / 4, -1],
  ],
});
