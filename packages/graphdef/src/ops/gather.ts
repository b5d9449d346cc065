import { ops, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import {
  coordinates,
  coordinatesFromStart,
  flatPlaces,
  fromStart,
  noBatches,
} from '../vocabulary/indices.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * Indices into `batchDims` leading dimensions at once: the gathered axis comes right behind them,
 * each index being a vector of one.
 */
function gatherInBatches(
  node: SourceNode,
  x: Value,
  indices: Value,
  axis: number,
  batchDims: number,
): Value {
  const rank = node.rank(x);
  const front = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis)].toSpliced(
    batchDims,
    0,
    axis,
  );
  const rows = node.graph.add(
    ops.Unsqueeze,
    { x: indices },
    { axes: [node.rank(indices)] },
    node.step('rows'),
  ).y;
  const y = node.graph.add(
    ops.GatherND,
    { x: node.transposed(x, front, 'front'), indices: node.cast(rows, 'int64', 'indices') },
    { batchDims },
    axis === batchDims ? node.options : node.step('gather'),
  ).y;
  if (axis === batchDims) return y;
  // [batch, indices, between, behind]: what stood between batch and axis goes before the indices
  // again.
  const added = node.rank(indices) - batchDims;
  const between = axis - batchDims;
  const total = batchDims + added + rank - batchDims - 1;
  const order = Array.from({ length: total }, (_, i) => i);
  return node.transposed(
    y,
    [
      ...order.slice(0, batchDims),
      ...order.slice(batchDims + added, batchDims + added + between),
      ...order.slice(batchDims, batchDims + added),
      ...order.slice(batchDims + added + between),
    ],
    'back',
  );
}

const readGather: ToCore = (node) => {
  node.ignore('validate_indices');
  const [x, indices] = [node.input(0), node.input(1)];
  const [stated] = node.inputCount > 2 ? node.constantInts(2) : [0];
  const axis = node.axis(stated ?? 0, node.rank(x));
  const given = node.type === 'GatherV2' ? node.int('batch_dims', 0) : 0;
  const batchDims = given < 0 ? given + node.rank(indices) : given;
  if (batchDims > 0) return gatherInBatches(node, x, indices, axis, batchDims);
  return node.graph.add(ops.Gather, { x, indices }, { axis }, node.options).y;
};

const readGatherNd: ToCore = (node) =>
  node.graph.add(
    ops.GatherND,
    { x: node.input(0), indices: node.cast(node.input(1), 'int64', 'indices') },
    { batchDims: 0 },
    node.options,
  ).y;

/** Coordinates of what is not zero, one row each. */
const readWhere: ToCore = (node) => {
  const indices = node.graph.add(ops.NonZero, { x: node.input(0) }, {}, node.step('nonzero')).y;
  return node.graph.add(ops.Transpose, { x: indices }, { perm: [1, 0] }, node.options).y;
};

const toCore = {
  Gather: readGather,
  GatherNd: readGatherNd,
  GatherV2: readGather,
  Where: readWhere,
} satisfies ReadRules;

const fromCore = {
  Gather: (node, writer) => {
    const { x, indices } = node.operands;
    const { axis } = node.attrs;
    return writer.node(
      'GatherV2',
      [x, fromStart(writer, indices, x.shape?.[axis]), writer.int(axis)],
      noBatches,
      node.outputs,
    );
  },
  GatherElements: (node, writer) => {
    const { x, indices } = node.operands;
    if (!x.shape || !indices.shape) return gap('the rank of an operand is not known');
    const flat = writer.step('Reshape', [x, writer.ints([-1])]);
    return writer.node(
      'GatherV2',
      [flat, flatPlaces(writer, indices, node.attrs.axis, x.shape), writer.int(0)],
      noBatches,
      node.outputs,
    );
  },
  GatherND: (node, writer) => {
    const { x, indices } = node.operands;
    const { batchDims } = node.attrs;
    if (batchDims === 0)
      return writer.node(
        'GatherNd',
        [x, coordinatesFromStart(writer, indices, x.shape)],
        {},
        node.outputs,
      );
    if (!x.shape || !indices.shape) return gap('the rank of an operand is not known');
    // Positions within the batch are coordinates of their own.
    const rank = indices.shape.length;
    const outer = indices.shape.slice(0, -1);
    const inner = coordinatesFromStart(writer, indices, x.shape, batchDims);
    const own = Array.from({ length: batchDims }, (_, i) => {
      const range = coordinates(writer, x.shape![i]!, i, rank, writer.int(1));
      return writer.step('BroadcastTo', [range, writer.dims([...outer, 1])]);
    });
    return writer.node('GatherNd', [x, writer.concat([...own, inner], rank - 1)], {}, node.outputs);
  },
  NonZero: (node, writer) => {
    const { x } = node.operands;
    const isOn =
      x.dtype === 'bool' ? x : writer.step('NotEqual', [x, writer.scalar(x, 0)], {}, 'bool');
    return writer.node(
      'Transpose',
      [writer.step('Where', [isOn], {}, 'int32'), writer.ints([1, 0])],
      {},
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that look elements up by index, both directions. */
export const gather = { toCore, fromCore };
