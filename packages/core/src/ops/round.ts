import { roundHalfToEven } from '../numeric/rounding.js';
import { unary } from './families/unary.js';

/** Nearest integer, ties to even. */
export const round = unary({
  name: 'Round',
  summary: 'Integer nearest to `x`, ties to the even one.',
  f: roundHalfToEven,
  // Between integers, whole numbers stay.
  range: (x) => x,
  ulp: 0,
  examples: [
    [0.5, 0],
    [1.5, 2],
    [2.5, 2],
    [-1.5, -2],
    [2.4, 2],
    [-2.6, -3],
  ],
});
