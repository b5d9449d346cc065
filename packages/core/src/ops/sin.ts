import { unary } from './families/unary.js';

/** Sine. */
export const sin = unary({
  name: 'Sin',
  summary: 'Sine of `x` in radians.',
  f: Math.sin,
  ulp: 4,
  examples: [
    [0, 0],
    [Math.PI / 6, 0.5],
    [Math.PI / 2, 1],
  ],
});
