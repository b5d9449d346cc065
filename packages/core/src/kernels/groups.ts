import { isStatic, type Dim, type Shape } from '../tensor/dim.js';
import { sizeOf } from '../tensor/tensor.js';
import type { ValueType } from '../ops/define-op.js';
import { stridesOf, walk } from './broadcast.js';
import { knownElement, maxKnownElements } from './known-elements.js';

/**
 * Which elements an operator takes together: element `first + member` of every group, for each of
 * its `members`.
 */
export interface Groups {
  /** Where each group begins, in C order of the dimensions that stay. */
  readonly firsts: Int32Array;
  readonly members: Int32Array;
}

/** The groups of elements that differ only in the dimensions `axes`. */
export function groupsOf(shape: readonly number[], axes: readonly number[]): Groups {
  const strides = stridesOf(shape);
  const offsets = (chosen: readonly number[]) => {
    const sizes = chosen.map((axis) => shape[axis]!);
    const out = new Int32Array(sizeOf(sizes));
    walk(sizes, [chosen.map((axis) => strides[axis]!)], (at, [p]) => (out[at] = p!));
    return out;
  };
  const all = shape.map((_, axis) => axis);
  return {
    firsts: offsets(all.filter((axis) => !axes.includes(axis))),
    members: offsets(all.filter((axis) => axes.includes(axis))),
  };
}

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
