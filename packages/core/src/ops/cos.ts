import { unary } from './families/unary.js';

/** Cosine. */
export const cos = unary({
  name: 'Cos',
  summary: 'Cosine of `x` in radians.',
  f: Math.cos,
  ulp: 4,
  examples: [
    [0, 1],
    [Math.PI / 3, 0.5],
    [Math.PI, -1],
  ],
});
