import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Hyperbolic tangent. */
export const tanh = unary({
  name: 'Tanh',
  summary: 'Hyperbolic tangent of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.tanh(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 0],
    [Math.log(2), 0.6],
    [Infinity, 1],
    [-Infinity, -1],
  ],
});
