import { sizeOf } from '../tensor/tensor.js';

/**
 * Calls `visit` once for each line of elements along an axis, with the offset of its first element,
 * the step between elements and their number.
 */
export function lanes(
  shape: readonly number[],
  axis: number,
  visit: (first: number, stride: number, size: number) => void,
): void {
  const size = shape[axis]!;
  const stride = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  for (let block = 0; block < outer; block++) {
    for (let i = 0; i < stride; i++) visit(block * size * stride + i, stride, size);
  }
}
