import { unary } from './families/unary.js';

/** Logistic function. */
export const sigmoid = unary({
  name: 'Sigmoid',
  summary: '1 / (1 + e^-x).',
  f: (x) => 1 / (1 + Math.exp(-x)),
  ulp: 4,
  examples: [
    [0, 0.5],
    [Math.log(3), 0.75],
    [-Math.log(3), 0.25],
    [Infinity, 1],
    [-Infinity, 0],
  ],
});
