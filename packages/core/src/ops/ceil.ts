import { unary } from './families/unary.js';

/** Smallest integer that is not less. */
export const ceil = unary({
  name: 'Ceil',
  summary: 'Smallest integer of at least `x`.',
  f: Math.ceil,
  // Between integers, whole numbers stay.
  range: (x) => x,
  ulp: 0,
  examples: [
    [1.5, 2],
    [-1.5, -1],
    [3, 3],
  ],
});
