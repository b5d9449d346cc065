import { unary } from './families/unary.js';

/** Square root. */
export const sqrt = unary({
  name: 'Sqrt',
  summary: 'Square root of `x`; NaN below 0.',
  f: Math.sqrt,
  ulp: 1,
  examples: [
    [4, 2],
    [2.25, 1.5],
    [0, 0],
    [-1, NaN],
  ],
});
