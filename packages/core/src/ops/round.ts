import { roundHalfToEven } from '../numeric/rounding.js';
import { unary } from './families/unary.js';
import { exact } from './rounding.js';

/** Nearest integer, ties to even. */
export const round = unary({
  name: 'Round',
  summary: 'Integer nearest to `x`, ties to the even one.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = roundHalfToEven(x[i]!);
  },
  // Between integers, whole numbers stay.
  range: (x) => x,
  rounding: exact(),
  jumps: true,
  examples: [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-1.5, -2],
    [2.4, 2],
    [-2.6, -3],
  ],
});
