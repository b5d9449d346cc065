import { unary } from './families/unary.js';

/** Largest integer that is not greater. */
export const floor = unary({
  name: 'Floor',
  summary: 'Largest integer of at most `x`.',
  f: Math.floor,
  // Between integers, whole numbers stay.
  range: (x) => x,
  ulp: 0,
  examples: [
    [1.5, 1],
    [-1.5, -2],
    [3, 3],
  ],
});
