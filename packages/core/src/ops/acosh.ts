import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Inverse hyperbolic cosine. */
export const acosh = unary({
  name: 'Acosh',
  summary: 'Number of at least 0 whose hyperbolic cosine is `x`; NaN below 1.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.acosh(x[i]!);
  },
  rounding: ofOne(4),
  examples: [
    [1, 0],
    [1.25, Math.log(2)],
    [0, NaN],
  ],
});
