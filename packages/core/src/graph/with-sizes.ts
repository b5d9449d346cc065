import { evaluateDim, type Dim } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';
import { cloneGraph } from './clone.js';
import type { Graph } from './graph.js';
import { attrsOf, byName, type Node } from './node.js';

const sized = (dim: Dim, sizes: ReadonlyMap<string, number>): Dim => evaluateDim(dim, sizes) ?? dim;

/** A type in which dimensions that follow from sizes are numbers. */
function sizedType(
  { shape, elements, ...type }: ValueType,
  sizes: ReadonlyMap<string, number>,
): ValueType {
  return {
    ...type,
    shape: shape?.map((dim) => sized(dim, sizes)),
    elements: elements?.map((dim) => sized(dim, sizes)),
  };
}

/** A copy of a graph, with its bodies, in whose types the named dimensions have these sizes. */
export function withSizes(graph: Graph, sizes: ReadonlyMap<string, number>): Graph {
  const copy = cloneGraph(graph);
  const settle = (each: Graph): void => {
    for (const value of each.inputs) value.type = sizedType(value.type, sizes);
    for (const node of each.nodes) {
      for (const value of node.outputs) value.type = sizedType(value.type, sizes);
      for (const region of Object.values(node.regions)) settle(region.graph);
    }
  };
  settle(copy);
  return copy;
}

/**
 * Whether sizes of named dimensions suit a node, as far as types tell: its results have dimensions
 * of at least 1, and the constraints of its operator hold.
 */
export function suitsSizes(node: Node, sizes: ReadonlyMap<string, number>): boolean {
  for (const { shape } of node.outputs)
    for (const dim of shape ?? []) {
      const size = sized(dim, sizes);
      if (typeof size === 'number' && size < 1) return false;
    }
  const types = byName(
    node.op.inputs,
    node.inputs.map((value) => value && sizedType(value.type, sizes)),
  );
  const attrs = Object.fromEntries(
    attrsOf(node).map(([name, attr, value]) => [name, attr.resolve(value, sizes)]),
  );
  return Object.values(node.op.constraints).every((constraint) =>
    constraint.holds(types as never, attrs as never),
  );
}
