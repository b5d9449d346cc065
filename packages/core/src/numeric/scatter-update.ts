import type { Elements } from '../tensor/tensor.js';
import type { Reduction } from '../typing/scatter-update.js';

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
