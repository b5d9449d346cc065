import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { ValueType } from '../ops/define-op.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import { stridesOf } from './broadcast.js';
import { copier, partsOf, strided } from './copy.js';

/**
 * Tensors of one shape joined along a new axis. Without any the result is empty and takes its other sizes from `type`, 0 where they are not
 * known. Throws `core/invalid-shape` when the shapes differ.
 */
export function stack(slices: readonly Tensor[], axis: number, type: ValueType): Tensor {
  const slice = slices[0]?.shape ?? (type.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 0));
  const odd = slices.find(({ shape }) => shape.join() !== slice.join());
  if (odd) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `[${slice.join(', ')}] and [${odd.shape.join(', ')}] cannot be stacked.`,
      origin: { file: '' },
    });
  }
  const shape = [...slice.slice(0, axis), slices.length, ...slice.slice(axis)];
  const data = allocate(type.dtype, sizeOf(shape));
  const block = sizeOf(slice.slice(axis)) * partsOf(type.dtype);
  const outer = sizeOf(slice.slice(0, axis));
  slices.forEach((from, i) => {
    const copy = copier(from.data, data);
    for (let row = 0; row < outer; row++) copy(row * block, 1, (row * slices.length + i) * block, block);
  });
  return { dtype: type.dtype, shape, data };
}

/** The slice at `index` along an axis, without that axis. */
export function sliceAt(from: Tensor, axis: number, index: number): Tensor {
  const strides = stridesOf(from.shape);
  const rest = <T>(list: readonly T[]) => list.filter((_, i) => i !== axis);
  return strided(from, rest(from.shape), rest(strides), index * strides[axis]!);
}
