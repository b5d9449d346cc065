import { stridesOf } from '../tensor/strides.js';
import { allocate, type Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { concatenated } from './concatenate.js';
import { strided } from './copy.js';

/**
 * Tensors of one shape joined along a new axis. Without any the result is empty and takes its other
 * sizes from `type`, 0 where they are not known. Throws `core/invalid-shape` when the shapes
 * differ.
 */
export function stack(slices: readonly Tensor[], axis: number, type: ValueType): Tensor {
  const along = (size: number, shape: readonly number[]) => [
    ...shape.slice(0, axis),
    size,
    ...shape.slice(axis),
  ];
  if (slices.length === 0) {
    const sizes = (type.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 0));
    return { dtype: type.dtype, shape: along(0, sizes), data: allocate(type.dtype, 0) };
  }
  const blocks = slices.map((slice) => ({ ...slice, shape: along(1, slice.shape) }));
  return concatenated(blocks, axis);
}

/** The slice at `index` along an axis, without that axis. */
export function sliceAt(from: Tensor, axis: number, index: number): Tensor {
  const strides = stridesOf(from.shape);
  const rest = <T>(list: readonly T[]) => list.filter((_, i) => i !== axis);
  return strided(from, rest(from.shape), rest(strides), index * strides[axis]!);
}
