import { unary } from './families/unary.js';

/** Smooth form of Relu. */
export const softplus = unary({
  name: 'Softplus',
  summary: 'log(1 + e^x).',
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  ulp: 6,
  examples: [
    [0, Math.log(2)],
    [Math.log(3), Math.log(4)],
    [800, 800],
    [-Infinity, 0],
  ],
});
