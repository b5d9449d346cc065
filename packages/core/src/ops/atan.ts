import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** Arc tangent. */
export const atan = unary({
  name: 'Atan',
  summary: 'Angle in [-π/2, π/2] whose tangent is `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.atan(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 0],
    [1, Math.PI / 4],
    [-Infinity, -Math.PI / 2],
  ],
});
