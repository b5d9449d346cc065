import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Logistic function. */
export const sigmoid = unary({
  name: 'Sigmoid',
  summary: '1 / (1 + e^-x).',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = 1 / (1 + Math.exp(-x[i]!));
  },
  rounding: ofElement(4),
  examples: [
    [0, 0.5],
    [Math.log(3), 0.75],
    [-Math.log(3), 0.25],
    [Infinity, 1],
    [-Infinity, 0],
  ],
});
