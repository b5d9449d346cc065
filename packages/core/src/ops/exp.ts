import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** e^x. */
export const exp = unary({
  name: 'Exp',
  summary: 'e to the power of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.exp(x[i]!);
  },
  rounding: ofElement(3),
  examples: [
    [0, 1],
    [1, Math.E],
    [-Infinity, 0],
  ],
});
