import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Natural logarithm. */
export const log = unary({
  name: 'Log',
  summary: 'Natural logarithm of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.log(x[i]!);
  },
  rounding: ofElement(2),
  examples: [
    [1, 0],
    [Math.E, 1],
    [0, -Infinity],
  ],
});
