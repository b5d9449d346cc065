import { ops, productOf } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { coordinates, noBatches } from '../vocabulary/indices.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

const readReverseSequence: ToCore = (node) => {
  const attrs = { timeAxis: node.int('seq_dim'), batchAxis: node.int('batch_dim', 0) };
  return node.graph.add(
    ops.ReverseSequence,
    { x: node.input(0), lengths: node.cast(node.input(1), 'int64', 'lengths') },
    attrs,
    node.options,
  ).y;
};

const toCore = {
  ReverseSequence: readReverseSequence,
} satisfies ReadRules;

const fromCore = {
  ReverseSequence: (node, writer) => {
    const { x, lengths } = node.operands;
    const { timeAxis, batchAxis } = node.attrs;
    if (!x.shape) return gap('the rank of its operand is not known');
    const rank = x.shape.length;
    const place = (axis: number) =>
      writer.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1)));
    const time = coordinates(writer, x.shape[timeAxis]!, timeAxis, rank, writer.int(1));
    const length = writer.step('Reshape', [writer.cast(lengths, 'int32'), place(batchAxis)]);
    const mirrored = writer.step('Sub', [writer.step('Sub', [length, writer.int(1)]), time]);
    const from = writer.step(
      'SelectV2',
      [writer.step('Less', [time, length], {}, 'bool'), mirrored, time],
      {},
      'int32',
    );
    const step = (i: number) => writer.size(productOf(x.shape!.slice(i + 1)));
    let places = writer.step('Mul', [from, step(timeAxis)]);
    for (let i = 0; i < rank; i++)
      if (i !== timeAxis)
        places = writer.step('AddV2', [places, coordinates(writer, x.shape[i]!, i, rank, step(i))]);
    return writer.node(
      'GatherV2',
      [writer.step('Reshape', [x, writer.ints([-1])]), places, writer.int(0)],
      noBatches,
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on sequences of several lengths, both directions. */
export const sequence = { toCore, fromCore };
