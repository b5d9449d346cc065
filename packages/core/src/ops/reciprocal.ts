import { unary } from './families/unary.js';

/** 1 / x. */
export const reciprocal = unary({
  name: 'Reciprocal',
  summary: '1 divided by `x`.',
  f: (x) => 1 / x,
  ulp: 1,
  examples: [
    [4, 0.25],
    [-2, -0.5],
    [0, Infinity],
  ],
});
