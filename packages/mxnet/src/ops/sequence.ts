import { ops, type Node, type Value } from '@drover/core';
import { inverse, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, countTo, scalarOf } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { unknownRank, type ReadRules, type ToCore } from '../vocabulary/rule.js';

const readSequenceReverse: ToCore = (node) => {
  if (node.int('axis') !== 0) throw node.unsupported('its time is not the first dimension');
  const x = node.input(0);
  if (!node.bool('use_sequence_length'))
    return node.graph.add(ops.Reverse, { x }, { axes: [0] }, node.options).y;
  const lengths = cast(node, node.input(1), 'int64', 'lengths');
  return node.graph.add(
    ops.ReverseSequence,
    { x, lengths },
    { timeAxis: 0, batchAxis: 1 },
    node.options,
  ).y;
};

const readSequenceLast: ToCore = (node) => {
  const x = node.input(0);
  const rank = node.shape(0).length;
  const axis = node.axis('axis', rank);
  if (!node.bool('use_sequence_length'))
    return node.graph.add(
      ops.Gather,
      { x, indices: node.graph.literal('int64', [], [-1]) },
      { axis },
      node.options,
    ).y;
  const lengths = cast(node, node.input(1), 'int64', 'lengths');
  const last = binary(node, ops.Sub, lengths, scalarOf(node, 'int64', 1), 'last');
  const indices = node.graph.add(ops.Unsqueeze, { x: last }, { axes: [1] }, node.step('index')).y;
  const perm = Array.from({ length: rank }, (_, i) => (i < 2 ? 1 - i : i));
  const batched =
    axis === 0 ? node.graph.add(ops.Transpose, { x }, { perm }, node.step('batch_first')).y : x;
  return node.graph.add(ops.GatherND, { x: batched, indices }, { batchDims: 1 }, node.options).y;
};

const readSequenceMask: ToCore = (node) => {
  const x = node.input(0);
  const shape = node.shape(0);
  const axis = node.axis('axis', shape.length);
  const value = scalarOf(node, x.dtype, node.float('value'));
  if (!node.bool('use_sequence_length')) return x;
  const around = (rank: number, at: number) =>
    Array.from({ length: rank }, (_, i) => i).filter((i) => i !== at);
  const place = (each: Value, at: number, step: string) =>
    node.graph.add(ops.Unsqueeze, { x: each }, { axes: around(shape.length, at) }, node.step(step))
      .y;
  const positions = place(countTo(node, shape[axis]!, 'positions'), axis, 'rows');
  const lengths = place(cast(node, node.input(1), 'int64', 'lengths'), 1 - axis, 'columns');
  const condition = binary(node, ops.Less, positions, lengths, 'within');
  return node.graph.add(ops.Where, { condition, x, y: value }, {}, node.options).y;
};

function writeReverseSequence(
  node: Node<typeof ops.ReverseSequence>,
  writer: GraphWriter,
): Gap | void {
  const { x, lengths } = node.operands;
  const { timeAxis, batchAxis } = node.attrs;
  if (x.rank === undefined) return unknownRank;
  const rest = Array.from({ length: x.rank }, (_, i) => i).filter(
    (i) => i !== timeAxis && i !== batchAxis,
  );
  const perm = [timeAxis, batchAxis, ...rest];
  const isPlain = timeAxis === 0 && batchAxis === 1;
  const moved: Operand = isPlain ? x : writer.step('transpose', [x], { axes: perm });
  const inputs = [moved, writer.cast(lengths, lengths.dtype, 'float32')];
  if (isPlain)
    return writer.node('SequenceReverse', inputs, { use_sequence_length: true }, node.outputs);
  writer.node(
    'transpose',
    [writer.step('SequenceReverse', inputs, { use_sequence_length: true })],
    { axes: inverse(perm) },
    node.outputs,
  );
}

const toCore = {
  SequenceLast: readSequenceLast,
  SequenceMask: readSequenceMask,
  SequenceReverse: readSequenceReverse,
} satisfies ReadRules;

const fromCore = {
  ReverseSequence: writeReverseSequence,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on sequences of several lengths, both directions. */
export const sequence = { toCore, fromCore };
