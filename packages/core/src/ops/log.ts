import { unary } from './families/unary.js';

/** Natural logarithm. */
export const log = unary({
  name: 'Log',
  summary: 'Natural logarithm of `x`.',
  f: Math.log,
  ulp: 3,
  examples: [
    [1, 0],
    [Math.E, 1],
    [0, -Infinity],
  ],
});
