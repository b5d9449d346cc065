import { unary } from './families/unary.js';

/** Inverse hyperbolic cosine. */
export const acosh = unary({
  name: 'Acosh',
  summary: 'Number of at least 0 whose hyperbolic cosine is `x`; NaN below 1.',
  f: Math.acosh,
  ulp: 4,
  examples: [
    [1, 0],
    [1.25, Math.log(2)],
    [0, NaN],
  ],
});
