import { isInt, type DType } from '../tensor/dtype.js';
import { corners, hull, sums, type Interval } from '../tensor/interval.js';

/** How an update meets the element that is there. */
export type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min';

/** Values of elements, each met by at most `count` updates. */
export function updatedRange(
  x: Interval | undefined,
  updates: Interval | undefined,
  how: Reduction,
  dtype: DType,
  count: Interval,
): Interval | undefined {
  if (how === 'mul' || !x || !updates) return undefined;
  if (how !== 'add') return hull(x, updates);
  return isInt(dtype) ? corners(x, sums(updates, [0n, count[1]]), (a, b) => a + b) : undefined;
}
