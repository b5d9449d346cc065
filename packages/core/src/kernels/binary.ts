import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { ValueType } from '../ops/define-op.js';
import { isStatic, type Dim } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import { knownElement, maxKnownElements } from './known-elements.js';
import { broadcastShapes, broadcastStrides, walk } from './broadcast.js';

/** Type of the result of a broadcasting elementwise operator, without elements. */
export function broadcastType(dtype: DType, ...types: readonly ValueType[]): ValueType {
  const shape = types.reduce<ValueType['shape']>(
    (a, b) => a && b.shape && broadcastShapes(a, b.shape),
    [],
  );
  return { dtype, shape };
}

/** Whether shapes broadcast, as far as is known. */
export function broadcasts(...types: readonly ValueType[]): boolean {
  let shape: ValueType['shape'] = [];
  for (const type of types) {
    if (!type.shape) return true;
    shape = broadcastShapes(shape, type.shape);
    if (!shape) return false;
  }
  return true;
}

/** The constraints of a broadcasting operator of two operands of one type. */
export const sameTypeBroadcast = {
  C1: {
    says: 'a and b have one element type',
    holds: ({ a, b }: { a: ValueType; b: ValueType }) => a.dtype === b.dtype,
  },
  C2: {
    says: 'the shapes of a and b broadcast',
    holds: ({ a, b }: { a: ValueType; b: ValueType }) => broadcasts(a, b),
  },
} as const;

/** The constraint of a broadcasting operator whose operands have one type anyway. */
export const broadcast = {
  C1: sameTypeBroadcast.C2,
} as const;

/**
 * Known elements, of type `dtype`, of a broadcasting integer operator, when those of both operands
 * are known.
 */
export function broadcastElements(
  dtype: DType,
  a: ValueType,
  b: ValueType,
  combine: (x: Dim, y: Dim) => Dim | undefined,
): readonly Dim[] | undefined {
  if (
    !a.elements ||
    !b.elements ||
    !a.shape ||
    !b.shape ||
    !isStatic(a.shape) ||
    !isStatic(b.shape)
  )
    return undefined;
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape || !isStatic(shape) || sizeOf(shape) > maxKnownElements) return undefined;
  const out: (Dim | undefined)[] = [];
  walk(shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)], (_, [p, q]) =>
    out.push(knownElement(combine(a.elements![p!]!, b.elements![q!]!), dtype)),
  );
  return out.every((dim) => dim !== undefined) ? out : undefined;
}

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
