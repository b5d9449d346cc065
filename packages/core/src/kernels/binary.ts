import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { ValueType } from '../ops/define-op.js';
import { isStatic, type Dim } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import { allocate, sizeOf, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes, broadcastStrides, walk } from './broadcast.js';

/** Type of the result of a broadcasting elementwise operator, without elements. */
export function broadcastType(dtype: DType, ...types: readonly ValueType[]): ValueType {
  const shape = types.reduce<ValueType['shape']>((a, b) => a && b.shape && broadcastShapes(a, b.shape), []);
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

/** Known elements of a broadcasting integer operator, when those of both operands are known. */
export function broadcastElements(a: ValueType, b: ValueType, combine: (x: Dim, y: Dim) => Dim | undefined): readonly Dim[] | undefined {
  if (!a.elements || !b.elements || !a.shape || !b.shape || !isStatic(a.shape) || !isStatic(b.shape)) return undefined;
  const shape = broadcastShapes(a.shape, b.shape);
  if (!shape || !isStatic(shape)) return undefined;
  const out: (Dim | undefined)[] = [];
  walk(shape, [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)], (_, [p, q]) => out.push(combine(a.elements![p!]!, b.elements![q!]!)));
  return out.every((dim) => dim !== undefined) ? out : undefined;
}

/** Evaluates an elementwise operator with broadcasting: `f` for numbers, `g` for 64-bit integers. */
export function evaluateBinary(a: Tensor, b: Tensor, dtype: DType, f: (x: number, y: number) => number, g: (x: bigint, y: bigint) => bigint | number): Tensor {
  const shape = broadcastShapes(a.shape, b.shape) as readonly number[] | undefined;
  if (!shape) throw coreDiagnostics.error('invalid-shape', { message: `[${a.shape.join()}] and [${b.shape.join()}] do not broadcast.`, origin: { file: '' } });
  const strides = [broadcastStrides(a.shape, shape), broadcastStrides(b.shape, shape)];
  const data = allocate(dtype, sizeOf(shape));
  if (a.data instanceof BigInt64Array || a.data instanceof BigUint64Array) {
    const [x, y] = [a.data, b.data as BigInt64Array];
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) walk(shape, strides, (at, [p, q]) => (data[at] = g(x[p!]!, y[q!]!) as bigint));
    else walk(shape, strides, (at, [p, q]) => ((data as Float64Array)[at] = Number(g(x[p!]!, y[q!]!))));
  } else {
    const [x, y, out] = [a.data as Float64Array, b.data as Float64Array, data as Float64Array];
    walk(shape, strides, (at, [p, q]) => (out[at] = f(x[p!]!, y[q!]!)));
  }
  return { dtype, shape, data };
}
