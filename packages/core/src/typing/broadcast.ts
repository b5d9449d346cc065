import { bounds, isStatic, maxDim, sameDim, type Dim, type Shape } from '../tensor/dim.js';
import type { DType } from '../tensor/dtype.js';
import { broadcastStrides, walk } from '../tensor/strides.js';
import { sizeOf } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { knownElement, maxKnownElements } from './known-elements.js';

/** Type of the result of a broadcasting elementwise operator, without elements. */
export function broadcastType(dtype: DType, ...types: readonly ValueType[]): ValueType {
  const shape = types.reduce<ValueType['shape']>(
    (a, b) => a && b.shape && broadcastShapes(a, b.shape),
    [],
  );
  return { dtype, shape };
}

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

/** Whether a dimension may be 1, and so be repeated. */
const isRepeated = (dim: Dim): boolean => bounds(dim)[0] <= 1;

/**
 * The shape that two shapes broadcast to (NumPy's rule: aligned at the end, a dimension of 1 is
 * repeated). Of two different dimensions the one that cannot be 1 is the result's; if both may be,
 * it is their maximum. undefined when they do not fit.
 */
export function broadcastShapes(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const out: Dim[] = [];
  for (let i = 0; i < rank; i++) {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x === 1 || sameDim(x, y)) out.push(y);
    else if (y === 1) out.push(x);
    else if (typeof x === 'number' && typeof y === 'number') return undefined;
    else out.push(isRepeated(x) ? (isRepeated(y) ? maxDim(x, y) : y) : x);
  }
  return out;
}
