import { isDataDependent, ops, subDim, type Dim, type DType, type Value } from '@drover/core';
import { binary, cast, indicesOf, scalarOf } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { countTo } from './filling.js';

/** Indices brought into 0 to size - 1 by the node's mode. */
function bounded(
  node: SourceNode,
  indices: Value,
  size: Dim | undefined,
  mode: string | undefined,
): Value {
  if (size === undefined || isDataDependent(size))
    throw node.unsupported('the size that its indices are bounded by depends on data');
  if (mode === 'wrap') {
    const divisor = sizeAs(node, size, indices.dtype, 'size');
    return node.graph.add(
      ops.Mod,
      { a: indices, b: divisor },
      { sign: 'divisor' },
      node.step('wrap'),
    ).y;
  }
  if (typeof size === 'number')
    return node.graph.add(ops.Clip, { x: indices }, { min: 0, max: size - 1 }, node.step('clip')).y;
  const first = binary(node, ops.Max, indices, scalarOf(node, indices.dtype, 0), 'first');
  return binary(node, ops.Min, first, sizeAs(node, subDim(size, 1), indices.dtype, 'end'), 'last');
}

/** A size as a scalar. */
function sizeAs(node: SourceNode, size: Dim, dtype: DType, step: string): Value {
  if (typeof size === 'number') return scalarOf(node, dtype, size);
  const listed = node.graph.add(ops.Dims, {}, { values: [size] }, node.step(`${step}/list`)).y;
  return cast(
    node,
    node.graph.add(ops.Squeeze, { x: listed }, { axes: [0] }, node.step(step)).y,
    dtype,
    `${step}/cast`,
  );
}

const readTake: ToCore = (node) => {
  const x = node.input(0);
  const shape = node.shape(0);
  const axis = node.axis('axis', shape.length);
  const indices = bounded(node, indicesOf(node, node.input(1)), shape[axis], node.text('mode'));
  return node.graph.add(ops.Gather, { x, indices }, { axis }, node.options).y;
};

/** One element along an axis for each index. */
const readPick: ToCore = (node) => {
  const x = node.input(0);
  const shape = node.shape(0);
  const stated = node.maybe('axis');
  if (stated === undefined) throw node.unsupported('it picks from all dimensions at once');
  const axis = node.axisOf(stated, shape.length);
  const keepdims = node.bool('keepdims');
  const flat = bounded(node, indicesOf(node, node.input(1)), shape[axis], node.text('mode'));
  const indices =
    flat.rank === shape.length
      ? flat
      : node.graph.add(ops.Unsqueeze, { x: flat }, { axes: [axis] }, node.step('index')).y;
  const { y } = node.graph.add(
    ops.GatherElements,
    { x, indices },
    { axis },
    keepdims ? node.options : node.step('pick'),
  );
  return keepdims ? y : node.graph.add(ops.Squeeze, { x: y }, { axes: [axis] }, node.options).y;
};

const readBatchTake: ToCore = (node) => {
  const [x, given] = [node.input(0), indicesOf(node, node.input(1))];
  const flat = bounded(node, given, node.shape(0)[1], 'clip');
  const indices = node.graph.add(ops.Unsqueeze, { x: flat }, { axes: [1] }, node.step('index')).y;
  const { y } = node.graph.add(ops.GatherElements, { x, indices }, { axis: 1 }, node.step('take'));
  return node.graph.add(ops.Squeeze, { x: y }, { axes: [1] }, node.options).y;
};

const readOneHot: ToCore = (node) => {
  const indices = indicesOf(node, node.input(0));
  const rank = node.shape(0).length;
  const dtype = node.dtype('dtype');
  const depth = node.int('depth');
  const values = node.graph.literal(dtype, [2], [node.float('off_value'), node.float('on_value')]);
  // Core counts negative indices from the end; for MXNet they are outside.
  const outside = scalarOf(node, indices.dtype, depth);
  const isNegative = binary(
    node,
    ops.Less,
    indices,
    scalarOf(node, indices.dtype, 0),
    'is_negative',
  );
  const settled = node.graph.add(
    ops.Where,
    { condition: isNegative, x: outside, y: indices },
    {},
    node.step('settled'),
  ).y;
  return node.graph.add(
    ops.OneHot,
    { indices: settled, values },
    { axis: rank, depth: [depth] },
    node.options,
  ).y;
};

/** MXNet keeps the coordinates of an element in the first dimension, core in the last. */
function coordinatesLast(node: SourceNode, indices: Value): Value {
  if (indices.rank === undefined) throw node.unsupported('the rank of its indices is not known');
  const perm = [...Array.from({ length: indices.rank - 1 }, (_, i) => i + 1), 0];
  return node.graph.add(ops.Transpose, { x: indices }, { perm }, node.step('coordinates')).y;
}

const readGatherNd: ToCore = (node) => {
  const indices = coordinatesLast(node, indicesOf(node, node.input(1)));
  return node.graph.add(ops.GatherND, { x: node.input(0), indices }, { batchDims: 0 }, node.options)
    .y;
};

const readScatterNd: ToCore = (node) => {
  const updates = node.input(0);
  const indices = coordinatesLast(node, indicesOf(node, node.input(1)));
  const x = node.graph.add(
    ops.Expand,
    { x: scalarOf(node, updates.dtype, 0) },
    { shape: node.ints('shape') ?? [] },
    node.step('zeros'),
  ).y;
  return node.graph.add(ops.ScatterND, { x, indices, updates }, { reduction: 'none' }, node.options)
    .y;
};

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

const toCore = {
  SequenceLast: readSequenceLast,
  SequenceMask: readSequenceMask,
  SequenceReverse: readSequenceReverse,
  batch_take: readBatchTake,
  gather_nd: readGatherNd,
  one_hot: readOneHot,
  pick: readPick,
  scatter_nd: readScatterNd,
  take: readTake,
} satisfies ReadRules;

/** Operators that look up or place elements by index, both directions. */
export const indexing = { toCore };
