import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { ValueType } from '../ops/define-op.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';

/** Puts elements of `from` into `to`, both of one dtype: `count` elements from `source` on to `target` on. */
function copy(from: Tensor, source: number, to: Tensor, target: number, count: number): void {
  const width = from.dtype === 'complex64' || from.dtype === 'complex128' ? 2 : 1;
  const [a, b] = [from.data, to.data] as unknown as [unknown[], unknown[]];
  for (let i = 0; i < count * width; i++) b[target * width + i] = a[source * width + i];
}

/**
 * Tensors of one shape joined along a new axis. Without any the result is empty and takes its other sizes from `type`, 0 where they are not known. Throws
 * `core/invalid-shape` when the shapes differ.
 */
export function stack(slices: readonly Tensor[], axis: number, type: ValueType): Tensor {
  const slice = slices[0]?.shape ?? (type.shape ?? []).map((dim) => (typeof dim === 'number' ? dim : 0));
  if (slices.some(({ shape }) => shape.join() !== slice.join())) {
    throw coreDiagnostics.error('invalid-shape', { message: `Slices of [${slice.join(', ')}] and another shape cannot be stacked.`, origin: { file: '' } });
  }
  const shape = [...slice.slice(0, axis), slices.length, ...slice.slice(axis)];
  const out: Tensor = { dtype: type.dtype, shape, data: allocate(type.dtype, sizeOf(shape)) };
  const inner = sizeOf(slice.slice(axis));
  const outer = sizeOf(slice.slice(0, axis));
  slices.forEach((from, i) => {
    for (let block = 0; block < outer; block++) copy(from, block * inner, out, (block * slices.length + i) * inner, inner);
  });
  return out;
}

/** The slice at `index` along an axis, without that axis. */
export function sliceAt(from: Tensor, axis: number, index: number): Tensor {
  const shape = from.shape.filter((_, i) => i !== axis);
  const out: Tensor = { dtype: from.dtype, shape, data: allocate(from.dtype, sizeOf(shape)) };
  const inner = sizeOf(from.shape.slice(axis + 1));
  const outer = sizeOf(from.shape.slice(0, axis));
  for (let block = 0; block < outer; block++) copy(from, (block * from.shape[axis]! + index) * inner, out, block * inner, inner);
  return out;
}
