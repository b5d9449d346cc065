import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Square root. */
export const sqrt = unary({
  name: 'Sqrt',
  summary: 'Square root of `x`; NaN below 0.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.sqrt(x[i]!);
  },
  rounding: ofElement(1),
  examples: [
    [4, 2],
    [2.25, 1.5],
    [0, 0],
    [-1, NaN],
  ],
});
