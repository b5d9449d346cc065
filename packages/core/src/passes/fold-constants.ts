import { Evaluator } from '../evaluate/evaluator.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { isStatic } from '../tensor/dim.js';
import { bytesOf, isFloat } from '../tensor/dtype.js';
import { allocate, sizeOf } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { definePass } from './define-pass.js';

/** Bounds of folding: what is larger stays in the graph and is computed at run time. */
export interface FoldLimits {
  /** Largest result in bytes. */
  readonly maxBytes: number;
}

/**
 * Operators whose result is not a function of operands and attributes alone, or that are kept as
 * they are on purpose.
 */
const notFolded = new Set(['Foreign', 'Dims', 'Shape', 'DequantizeLinear', 'QuantizeLinear']);

/**
 * Whether a node looks up rows of a table that the source stores, as of positions: the table stays
 * whole, so that it can be trained and told.
 */
const isLookup = ({ op, inputs: [table] }: Node): boolean =>
  op.name === 'Gather' &&
  table?.rank === 2 &&
  isFloat(table.dtype) &&
  (table.constant?.origins.length ?? 0) > 0;

function canFold(graph: Graph, node: Node, maxBytes: number): boolean {
  if (
    notFolded.has(node.op.name) ||
    isLookup(node) ||
    Object.keys(node.regions).length > 0 ||
    node.inputs.length === 0
  )
    return false;
  if (!node.inputs.every((value) => value === undefined || value.constant !== undefined))
    return false;
  if (
    node.outputs.every(
      (value) => value.users.size === 0 && !graph.outputs.some((output) => output.value === value),
    )
  )
    return false;
  const sizes = node.outputs.map(({ dtype, shape }) =>
    shape && isStatic(shape) ? bytesOf(dtype, sizeOf(shape)) : Infinity,
  );
  const given = node.inputs.map((value) =>
    value ? bytesOf(value.dtype, sizeOf(value.shape as readonly number[])) : 0,
  );
  return [...sizes, ...given].every((bytes) => bytes <= maxBytes);
}

/**
 * Tensors without elements are constants, whatever makes them: what is computed of them alone can
 * be folded. Operators may walk their other dimensions.
 */
function foldEmpty(graph: Graph, maxBytes: number): number {
  const isSmall = (shape: readonly number[]) =>
    sizeOf(shape.map((dim) => Math.max(dim, 1))) <= maxBytes;
  const values = [
    ...graph.inputs,
    ...graph.sorted().flatMap(({ op, outputs }) => (op.name === 'Foreign' ? [] : outputs)),
  ];
  const empty = values.filter(
    ({ shape, users }) =>
      users.size > 0 && shape && isStatic(shape) && shape.includes(0) && isSmall(shape),
  );
  for (const value of empty) {
    const shape = value.shape as readonly number[];
    graph.replaceUses(
      value,
      graph.constant(
        Weight.from({ dtype: value.dtype, shape, data: allocate(value.dtype, 0) }),
        value.name,
        value.origin,
      ),
    );
  }
  return empty.length;
}

/**
 * Nodes over constants become constants, within limits; so do tensors without elements. Elements
 * are computed in float64 and rounded once to the type of the result, and keep what they were
 * computed from.
 *
 *     %s = Sqrt(%c)        // c constant
 */
export const foldConstants = definePass<FoldLimits>(
  'fold-constants',
  ['names', 'layout', 'composites'],
  async (graph, { maxBytes }) => {
    let edits = foldEmpty(graph, maxBytes);
    for (const node of graph.sorted()) {
      if (!canFold(graph, node, maxBytes)) continue;
      const made = await new Evaluator(graph, new Map(), { wanted: node.outputs }).run();
      const parts = node.inputs.flatMap((value) => value?.constant ?? []);
      node.outputs.forEach((value, i) => {
        const weight = Weight.computed(made[i]!, node.op.name, parts);
        graph.replaceUses(value, graph.constant(weight, value.name, value.origin));
      });
      edits++;
    }
    return edits;
  },
);
