import { oneOf, type Attr } from '../ops/attr.js';
import { isFloat, isInt, type DType } from '../tensor/dtype.js';
import { corners, hull, sums, type Interval } from '../tensor/interval.js';
import type { Elements } from '../tensor/tensor.js';

/** How an update meets the element that is there. */
export type Reduction = 'none' | 'add' | 'mul' | 'max' | 'min';

/** The attribute that says how an update meets the element that is there. */
export const reduction = (): Attr<Reduction> => oneOf('none', 'add', 'mul', 'max', 'min');

/** Whether elements of a type can be updated so. */
export function canReduce(dtype: DType, how: Reduction): boolean {
  return how === 'none' || isFloat(dtype) || isInt(dtype);
}

/**
 * Puts element `from` of `updates` in place `at` of `data`. NaN wins over numbers in max and min.
 */
export function updateElement(
  data: Elements,
  at: number,
  updates: Elements,
  from: number,
  how: Reduction,
): void {
  if (how === 'none') {
    (data as Float64Array)[at] = (updates as Float64Array)[from]!;
  } else if (data instanceof Float64Array) {
    const [x, y] = [data[at]!, (updates as Float64Array)[from]!];
    data[at] =
      how === 'add'
        ? x + y
        : how === 'mul'
          ? x * y
          : how === 'max'
            ? Math.max(x, y)
            : Math.min(x, y);
  } else {
    const [x, y] = [(data as BigInt64Array)[at]!, (updates as BigInt64Array)[from]!];
    (data as BigInt64Array)[at] =
      how === 'add' ? x + y : how === 'mul' ? x * y : (how === 'max') === x > y ? x : y;
  }
}

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
