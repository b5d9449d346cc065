import { ops, toNumbers, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import { coordinatesFromStart, flatPlaces } from '../vocabulary/indices.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const readScatter =
  (reduction: 'none' | 'add' | 'max' | 'min'): ToCore =>
  (node) => {
    node.ignore('bad_indices_policy');
    return node.graph.add(
      ops.ScatterND,
      {
        x: node.input(0),
        indices: node.cast(node.input(1), 'int64', 'indices'),
        updates: node.input(2),
      },
      { reduction },
      node.options,
    ).y;
  };

const readScatterSub: ToCore = (node) => {
  const updates = node.graph.add(ops.Neg, { x: node.input(2) }, {}, node.step('neg')).y;
  return node.graph.add(
    ops.ScatterND,
    { x: node.input(0), indices: node.cast(node.input(1), 'int64', 'indices'), updates },
    { reduction: 'add' },
    node.options,
  ).y;
};

/** Updates are added up where indices meet, over zeros. */
const readScatterNd: ToCore = (node) => {
  node.ignore('bad_indices_policy');
  const updates = node.input(1);
  const zeros = node.graph.add(
    ops.Expand,
    { x: node.scalar(updates, 0), shape: node.input(2) },
    { shape: null },
    node.step('zeros'),
  ).y;
  return node.graph.add(
    ops.ScatterND,
    { x: zeros, indices: node.cast(node.input(0), 'int64', 'indices'), updates },
    { reduction: 'add' },
    node.options,
  ).y;
};

/** Indices below zero are off in TensorFlow; core counts them from the end. */
function withoutNegatives(node: SourceNode, indices: Value, depth: number): Value {
  const elements = indices.constant?.peek();
  if (elements && toNumbers(elements).every((index) => index >= 0)) return indices;
  const isNegative = node.graph.add(
    ops.Less,
    { a: indices, b: node.scalar(indices, 0) },
    {},
    node.step('negative'),
  ).y;
  return node.graph.add(
    ops.Where,
    { condition: isNegative, x: node.scalar(indices, depth), y: indices },
    {},
    node.step('indices'),
  ).y;
}

const readOneHot: ToCore = (node) => {
  const [indices, on, off] = [node.input(0), node.input(2), node.input(3)];
  const [depth] = node.constantInts(1);
  const axis = node.axis(node.int('axis', -1), node.rank(indices) + 1);
  const values = node.graph.add(
    ops.Concat,
    { inputs: [node.reshaped(off, [1], 'off'), node.reshaped(on, [1], 'on')] },
    { axis: 0 },
    node.step('values'),
  ).y;
  return node.graph.add(
    ops.OneHot,
    { indices: withoutNegatives(node, indices, depth ?? 0), values },
    { axis, depth: [depth ?? 0] },
    node.options,
  ).y;
};

const toCore = {
  OneHot: readOneHot,
  ScatterNd: readScatterNd,
  TensorScatterAdd: readScatter('add'),
  TensorScatterMax: readScatter('max'),
  TensorScatterMin: readScatter('min'),
  TensorScatterSub: readScatterSub,
  TensorScatterUpdate: readScatter('none'),
} satisfies ReadRules;

/**
 * Elements of their own: TF.js 4.22 on its cpu backend writes updates into the very operand of
 * TensorScatterUpdate, a weight or an input as it may be.
 */
function copied(writer: GraphWriter, x: Operand): Ref {
  return writer.dtype(x) === 'bool'
    ? writer.step('LogicalOr', [x, x])
    : writer.step('Mul', [x, writer.scalar(x, 1)]);
}

/** Slices written into a tensor: TF.js has updates, and sums over zeros. */
function scattered(
  writer: GraphWriter,
  x: Operand,
  indices: Operand,
  updates: Operand,
  reduction: string,
  output: Value,
): { readonly gap: string } | void {
  if (reduction === 'none')
    return writer.node('TensorScatterUpdate', [copied(writer, x), indices, updates], {}, [output]);
  if (reduction !== 'add')
    return gap(`TensorFlow.js scatters updates and sums, not by ${reduction}`);
  const sums = writer.step('ScatterNd', [indices, updates, writer.shapeOf(x)], {}, writer.dtype(x));
  return writer.node('AddV2', [x, sums], {}, [output]);
}

const fromCore = {
  OneHot: (node, writer) => {
    const { indices, values, depth: operand } = node.operands;
    const { axis, depth } = node.attrs;
    const { rank } = indices;
    if (rank === undefined) return gap('the rank of its operand is not known');
    const count = depth ? depth[0]! : undefined;
    const size =
      count === undefined
        ? writer.step('Reshape', [writer.cast(operand!, 'int32'), writer.ints([])])
        : writer.size(count);
    const given = writer.cast(indices, 'int32');
    const isNegative = writer.step('Less', [given, writer.int(0)], {}, 'bool');
    const counted = writer.isNeverNegative(indices)
      ? given
      : writer.step(
          'SelectV2',
          [isNegative, writer.step('AddV2', [given, size]), given],
          {},
          'int32',
        );
    const range = writer.step('Range', [writer.int(0), size, writer.int(1)]);
    const along = writer.step('Reshape', [
      range,
      writer.ints(Array.from({ length: rank + 1 }, (_, i) => (i === axis ? -1 : 1))),
    ]);
    const isOn = writer.step(
      'Equal',
      [writer.step('ExpandDims', [counted, writer.int(axis)]), along],
      {},
      'bool',
    );
    const value = (at: number) =>
      writer.step('Reshape', [
        writer.step('Slice', [values, writer.ints([at]), writer.ints([1])]),
        writer.ints([]),
      ]);
    return writer.node('SelectV2', [isOn, value(1), value(0)], {}, node.outputs);
  },
  ScatterElements: (node, writer) => {
    const { x, indices, updates } = node.operands;
    const { axis, reduction } = node.attrs;
    if (!x.shape || !indices.shape) return gap('the rank of an operand is not known');
    const places = writer.step('Reshape', [
      flatPlaces(writer, indices, axis, x.shape),
      writer.ints([-1, 1]),
    ]);
    const flat = writer.step('Reshape', [x, writer.ints([-1])]);
    const values = writer.step('Reshape', [updates, writer.ints([-1])]);
    if (reduction !== 'none' && reduction !== 'add')
      return gap(`TensorFlow.js scatters updates and sums, not by ${reduction}`);
    const made =
      reduction === 'none'
        ? writer.step('TensorScatterUpdate', [copied(writer, flat), places, values])
        : writer.step('AddV2', [
            flat,
            writer.step('ScatterNd', [places, values, writer.shapeOf(flat)], {}, writer.dtype(x)),
          ]);
    return writer.node(
      'Reshape',
      [made, writer.canCompute(x.shape) ? writer.dims(x.shape) : writer.shapeOf(x)],
      {},
      node.outputs,
    );
  },
  ScatterND: (node, writer) => {
    const { x, indices, updates } = node.operands;
    return scattered(
      writer,
      x,
      coordinatesFromStart(writer, indices, x.shape),
      updates,
      node.attrs.reduction,
      node.outputs[0]!,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that place elements by index, both directions. */
export const scatter = { toCore, fromCore };
