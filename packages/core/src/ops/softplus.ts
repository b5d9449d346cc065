import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Smooth form of Relu. */
export const softplus = unary({
  name: 'Softplus',
  summary: 'log(1 + e^x).',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) {
      const v = x[i]!;
      y[i] = Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v)));
    }
  },
  rounding: ofOne(4),
  examples: [
    [0, Math.log(2)],
    [Math.log(3), Math.log(4)],
    [800, 800],
    [-Infinity, 0],
  ],
});
