import {
  isFloat,
  isStatic,
  ops,
  subDim,
  type Dim,
  type DType,
  type Node,
  type Value,
} from '@drover/core';
import { gap, isDataDependent, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, indicesOf, scalarOf } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import {
  constantIndices,
  coordinatesFirst,
  coordinatesLast,
  grid,
  settled,
  unbounded,
} from '../vocabulary/indices.js';
import { isGap, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

const readGatherNd: ToCore = (node) => {
  const indices = coordinatesLast(node, indicesOf(node, node.input(1)));
  return node.graph.add(ops.GatherND, { x: node.input(0), indices }, { batchDims: 0 }, node.options)
    .y;
};

/** Rows of a table; indices outside it read its first or last row. */
const readEmbedding: ToCore = (node) => {
  const rows = node.int('input_dim');
  node.ignore('dtype');
  const table = node.restated(1, [rows, node.int('output_dim')]);
  const indices = node.graph.add(
    ops.Clip,
    { x: indicesOf(node, node.input(0)) },
    { min: 0, max: rows - 1 },
    node.step('clip'),
  ).y;
  return node.graph.add(ops.Gather, { x: table, indices }, { axis: 0 }, node.options).y;
};

/** Indices as MXNet takes them: the floats that integers were cut from will do. */
function uncast(value: Value): Value {
  const { producer } = value;
  const from = producer?.op.name === 'Cast' ? producer.inputs[0] : undefined;
  return from?.dtype === 'float32' ? from : value;
}

function writeGather(node: Node<typeof ops.Gather>, writer: GraphWriter): Gap | void {
  const { x, indices } = node.operands;
  const { axis } = node.attrs;
  const y = node.outputs[0]!;
  if (!x.shape || !y.shape || indices.rank === undefined)
    return gap('the rank of its operands is not known');
  const size = x.shape[axis]!;
  const given = unbounded(indices, size);
  if (
    axis === 0 &&
    x.constant &&
    x.rank === 2 &&
    isFloat(x.dtype) &&
    indices.rank > 0 &&
    given?.mode === 'clip'
  ) {
    const attributes = {
      input_dim: x.constant.shape[0]!,
      output_dim: x.constant.shape[1]!,
      dtype: x.dtype,
    };
    return writer.node('Embedding', [uncast(given.indices), x], attributes, node.outputs);
  }
  const known = constantIndices(indices);
  if (indices.rank === 0) {
    const at = known?.[0];
    const one =
      at === undefined
        ? writer.step('take', [x, indices], { axis, mode: 'wrap' })
        : writer.step('slice_axis', [x], { axis, begin: at, end: at === -1 ? null : at + 1 });
    if (x.rank === 1) return writer.bind(y, one);
    return writer.node('squeeze', [one], { axis: [axis] }, node.outputs);
  }
  const from = settled(writer, indices, size);
  writer.node('take', [x, from.indices], { axis, mode: from.mode }, node.outputs);
}

function writeGatherElements(
  node: Node<typeof ops.GatherElements>,
  writer: GraphWriter,
): Gap | void {
  const { x, indices } = node.operands;
  const { axis } = node.attrs;
  const size = x.shape?.[axis];
  if (!indices.shape || typeof size !== 'number' || !x.shape)
    return gap('the shape of its operands is not known');
  const isWhole = x.shape.every((dim, i) => i === axis || dim === indices.shape![i]);
  if (indices.shape[axis] === 1 && isWhole)
    return writer.node('pick', [x, indices], { axis, keepdims: true, mode: 'wrap' }, node.outputs);
  if (!isStatic(indices.shape))
    return gap('the shape of its indices is not known before the model runs');
  writer.node('gather_nd', [x, grid(writer, indices, indices.shape, axis, size)], {}, node.outputs);
}

function writeGatherNd(node: Node<typeof ops.GatherND>, writer: GraphWriter): Gap | void {
  const indices = coordinatesFirst(writer, node.operands.indices, node.attrs.batchDims);
  if (isGap(indices)) return indices;
  writer.node('gather_nd', [node.operands.x, indices], {}, node.outputs);
}

const toCore = {
  Embedding: readEmbedding,
  _contrib_SparseEmbedding: readEmbedding,
  batch_take: readBatchTake,
  gather_nd: readGatherNd,
  pick: readPick,
  take: readTake,
} satisfies ReadRules;

const fromCore = {
  Gather: writeGather,
  GatherElements: writeGatherElements,
  GatherND: writeGatherNd,
  NonZero: gap(
    'the size of its result depends on data, and MXNet allocates results before it runs',
  ),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that look elements up by index, both directions. */
export const gather = { toCore, fromCore };
