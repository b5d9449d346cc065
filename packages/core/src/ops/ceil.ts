import { unary } from './families/unary.js';
import { exact } from './rounding.js';

/** Smallest integer that is not less. */
export const ceil = unary({
  name: 'Ceil',
  summary: 'Smallest integer of at least `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.ceil(x[i]!);
  },
  // Between integers, whole numbers stay.
  range: (x) => x,
  rounding: exact(),
  jumps: true,
  examples: [
    [1.5, 2],
    [-1.5, -1],
    [3, 3],
  ],
});
