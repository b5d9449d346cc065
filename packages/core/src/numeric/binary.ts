import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { DType } from '../tensor/dtype.js';
import { broadcastStrides, walk } from '../tensor/strides.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';

/**
 * The shape that the tensors of a broadcasting operator broadcast to. Throws `core/invalid-shape`.
 */
export function broadcastTensors(...tensors: readonly Tensor[]): readonly number[] {
  const shape = tensors.reduce<readonly number[] | undefined>(
    (to, { shape }) => to && (broadcastShapes(to, shape) as readonly number[] | undefined),
    [],
  );
  if (shape) return shape;
  const shapes = tensors.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ');
  throw coreDiagnostics.error('invalid-shape', {
    message: `${shapes} do not broadcast.`,
    origin: { file: '' },
  });
}

/**
 * Evaluates an elementwise operator with broadcasting: `f` for numbers (bool is 0 and 1), `g` for
 * 64-bit integers.
 */
export function evaluateBinary(
  a: Tensor,
  b: Tensor,
  dtype: DType,
  f: (x: number, y: number) => number,
  g: (x: bigint, y: bigint) => bigint | number,
): Tensor {
  const shape = broadcastTensors(a, b);
  const data = allocate(dtype, sizeOf(shape));
  if (a.data instanceof BigInt64Array || a.data instanceof BigUint64Array) {
    const [x, y] = [a.data, b.data as BigInt64Array];
    if (data instanceof BigInt64Array || data instanceof BigUint64Array)
      pairs(a, b, shape, (at, p, q) => (data[at] = g(x[p]!, y[q]!) as bigint));
    else pairs(a, b, shape, (at, p, q) => ((data as Float64Array)[at] = Number(g(x[p]!, y[q]!))));
  } else {
    const [x, y, out] = [a.data as Float64Array, b.data as Float64Array, data as Float64Array];
    pairs(a, b, shape, (at, p, q) => (out[at] = f(x[p]!, y[q]!)));
  }
  return { dtype, shape, data };
}

/**
 * Calls `visit` with the index of each element of the result and of the two elements that it is
 * made from. Equal shapes need no index arithmetic.
 */
function pairs(
  a: Tensor,
  b: Tensor,
  shape: readonly number[],
  visit: (at: number, p: number, q: number) => void,
): void {
  const count = sizeOf(shape);
  const [first, second] = [sizeOf(a.shape), sizeOf(b.shape)];
  if ((first === count || first === 1) && (second === count || second === 1)) {
    const [stepA, stepB] = [first === count ? 1 : 0, second === count ? 1 : 0];
    for (let at = 0; at < count; at++) visit(at, at * stepA, at * stepB);
  } else
    walk(
      shape,
      [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)],
      (at, [p, q]) => visit(at, p!, q!),
    );
}
