import { unary } from './families/unary.js';

/** Tangent. */
export const tan = unary({
  name: 'Tan',
  summary: 'Tangent of `x` in radians.',
  f: Math.tan,
  ulp: 5,
  examples: [
    [0, 0],
    [Math.PI / 4, 1],
    [-Math.PI / 4, -1],
  ],
});
