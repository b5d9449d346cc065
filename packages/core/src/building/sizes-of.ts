import { isDataDependent, type Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { concat } from '../ops/concat.js';
import { gather } from '../ops/gather.js';
import { shape as shapeOp } from '../ops/shape.js';
import type { Dim } from '../tensor/dim.js';

/** One of the sizes that a node is to be told: a number, or the size of a dimension of a value. */
export type Size = number | { readonly axis: number };

/** Sizes for a `dimsOrOperand` attribute: the attribute, or null and the operand. */
export interface StatedSizes {
  readonly attr: readonly Dim[] | null;
  readonly operand: Value | undefined;
}

/**
 * States sizes of which some are those of dimensions of `x`: as an attribute where all are known
 * before the model runs, else as an operand, for which nodes are added that take them from `x`
 * while it runs.
 */
export function sizesOf(graph: Graph, x: Value, sizes: readonly Size[]): StatedSizes {
  const known = sizes.map((size) => (typeof size === 'number' ? size : x.shape?.[size.axis]));
  if (known.every((dim) => dim !== undefined && !isDataDependent(dim)))
    return { attr: known as Dim[], operand: undefined };
  const all = graph.add(shapeOp, { x }, {}).y;
  const parts = sizes.map((size) => {
    if (typeof size === 'number') return graph.literal('int64', [1], [size]);
    return graph.add(
      gather,
      { x: all, indices: graph.literal('int64', [1], [size.axis]) },
      { axis: 0 },
    ).y;
  });
  return {
    attr: null,
    operand: parts.length === 1 ? parts[0] : graph.add(concat, { inputs: parts }, { axis: 0 }).y,
  };
}
