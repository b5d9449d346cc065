import { unary } from './families/unary.js';
import { exact } from './rounding.js';

/** Largest integer that is not greater. */
export const floor = unary({
  name: 'Floor',
  summary: 'Largest integer of at most `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.floor(x[i]!);
  },
  // Between integers, whole numbers stay.
  range: (x) => x,
  rounding: exact(),
  jumps: true,
  examples: [
    [1.5, 1],
    [-1.5, -2],
    [3, 3],
  ],
});
