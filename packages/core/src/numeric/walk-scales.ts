import { sizeOf, type Tensor } from '../tensor/tensor.js';
import type { Granularity } from '../typing/granularity.js';

/** Calls `visit` with the index of each element of `x` and of the scale that holds for it. */
export function walkScales(
  x: Tensor,
  scale: Tensor,
  { axis, blockSize }: Granularity,
  visit: (at: number, scaleAt: number) => void,
): void {
  const count = sizeOf(x.shape);
  if (axis === null) {
    for (let at = 0; at < count; at++) visit(at, 0);
    return;
  }
  const inner = sizeOf(x.shape.slice(axis + 1));
  const size = x.shape[axis]!;
  if (blockSize === 0) {
    for (let at = 0; at < count; at++) visit(at, Math.floor(at / inner) % size);
    return;
  }
  const blocks = scale.shape[axis]!;
  for (let at = 0; at < count; at++) {
    const outer = Math.floor(at / (inner * size));
    const index = Math.floor(at / inner) % size;
    visit(at, (outer * blocks + Math.floor(index / blockSize)) * inner + (at % inner));
  }
}
