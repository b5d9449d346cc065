import { unary } from './families/unary.js';

/** Arc sine. */
export const asin = unary({
  name: 'Asin',
  summary: 'Angle in [-π/2, π/2] whose sine is `x`.',
  f: Math.asin,
  ulp: 4,
  examples: [
    [0, 0],
    [0.5, Math.PI / 6],
    [1, Math.PI / 2],
    [2, NaN],
  ],
});
