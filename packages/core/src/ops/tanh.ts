import { unary } from './families/unary.js';

/** Hyperbolic tangent. */
export const tanh = unary({
  name: 'Tanh',
  summary: 'Hyperbolic tangent of `x`.',
  f: Math.tanh,
  ulp: 4,
  examples: [
    [0, 0],
    [Math.log(2), 0.6],
    [Infinity, 1],
    [-Infinity, -1],
  ],
});
