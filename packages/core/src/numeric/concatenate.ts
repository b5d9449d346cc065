import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import { copier, partsOf } from './copy.js';

/** Tensors one after another along an axis. */
export function concatenated(parts: readonly Tensor[], axis: number): Tensor {
  const { dtype, shape: first } = parts[0]!;
  const fits = parts.every(
    ({ shape }) =>
      shape.length === first.length && shape.every((dim, i) => i === axis || dim === first[i]),
  );
  if (!fits) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `${parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')} do not join along axis ${axis}.`,
      origin: { file: '' },
    });
  }
  const shape = first.map((dim, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : dim,
  );
  const data = allocate(dtype, sizeOf(shape));
  const sizes = parts.map((part) => sizeOf(part.shape.slice(axis)) * partsOf(dtype));
  const copies = parts.map((part) => copier(part.data, data));
  const outer = sizeOf(shape.slice(0, axis));
  for (let row = 0, at = 0; row < outer; row++) {
    for (let i = 0; i < parts.length; i++) {
      copies[i]!(row * sizes[i]!, 1, at, sizes[i]!);
      at += sizes[i]!;
    }
  }
  return { dtype, shape, data };
}
