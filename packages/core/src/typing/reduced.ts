import { isStatic, type Dim, type Shape } from '../tensor/dim.js';
import { groupsOf } from '../tensor/groups.js';
import { sizeOf } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { knownElement, maxKnownElements } from './known-elements.js';

/** The shape that is left when the dimensions `axes` are reduced. */
export function reducedShape<S extends Dim>(
  shape: readonly S[],
  axes: readonly number[],
  keepdims: boolean,
): (S | 1)[] {
  return keepdims
    ? shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    : shape.filter((_, axis) => !axes.includes(axis));
}

/** Known elements of a reduction: `combine` takes those of a group. */
export function reducedElements(
  x: ValueType,
  axes: readonly number[],
  result: Shape | undefined,
  combine: (group: readonly Dim[]) => Dim | undefined,
): readonly Dim[] | undefined {
  if (
    !x.elements ||
    !x.shape ||
    !isStatic(x.shape) ||
    !result ||
    !isStatic(result) ||
    sizeOf(result) > maxKnownElements
  )
    return undefined;
  const { firsts, members } = groupsOf(x.shape, axes);
  const out = Array.from(firsts, (first) =>
    knownElement(combine(Array.from(members, (member) => x.elements![first + member]!)), x.dtype),
  );
  return out.every((dim) => dim !== undefined) ? out : undefined;
}
