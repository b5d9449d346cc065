import { unary } from './families/unary.js';

/** Arc cosine. */
export const acos = unary({
  name: 'Acos',
  summary: 'Angle in [0, π] whose cosine is `x`.',
  f: Math.acos,
  ulp: 4,
  examples: [
    [1, 0],
    [0.5, Math.PI / 3],
    [-1, Math.PI],
  ],
});
