import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Inverse hyperbolic tangent. */
export const atanh = unary({
  name: 'Atanh',
  summary: 'Number whose hyperbolic tangent is `x`; NaN outside [-1, 1].',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.atanh(x[i]!);
  },
  rounding: ofOne(2),
  examples: [
    [0, 0],
    [0.6, Math.log(2)],
    [1, Infinity],
  ],
});
