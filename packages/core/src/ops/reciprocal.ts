import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** 1 / x. */
export const reciprocal = unary({
  name: 'Reciprocal',
  summary: '1 divided by `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = 1 / x[i]!;
  },
  rounding: ofElement(1),
  examples: [
    [4, 0.25],
    [-2, -0.5],
    [0, Infinity],
  ],
});
