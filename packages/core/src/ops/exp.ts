import { unary } from './families/unary.js';

/** e^x. */
export const exp = unary({
  name: 'Exp',
  summary: 'e to the power of `x`.',
  f: Math.exp,
  ulp: 3,
  examples: [
    [0, 1],
    [1, Math.E],
    [-Infinity, 0],
  ],
});
