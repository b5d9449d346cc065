import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Hyperbolic cosine. */
export const cosh = unary({
  name: 'Cosh',
  summary: 'Hyperbolic cosine of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.cosh(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 1],
    [Math.log(2), 1.25],
    [-Math.log(2), 1.25],
  ],
});
