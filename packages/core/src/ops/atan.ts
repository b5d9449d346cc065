import { unary } from './families/unary.js';

/** Arc tangent. */
export const atan = unary({
  name: 'Atan',
  summary: 'Angle in [-π/2, π/2] whose tangent is `x`.',
  f: Math.atan,
  ulp: 4,
  examples: [
    [0, 0],
    [1, Math.PI / 4],
    [-Infinity, -Math.PI / 2],
  ],
});
