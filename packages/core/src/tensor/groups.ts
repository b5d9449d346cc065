import { stridesOf, walk } from './strides.js';
import { sizeOf } from './tensor.js';

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
