import { ops, productOf, toNumbers, type Dim, type Shape, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
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

const scatter =
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

/** Coordinates of what is not zero, one row each. */
const readWhere: ToCore = (node) => {
  const indices = node.graph.add(ops.NonZero, { x: node.input(0) }, {}, node.step('nonzero')).y;
  return node.graph.add(ops.Transpose, { x: indices }, { perm: [1, 0] }, node.options).y;
};

const toCore = {
  Gather: readGather,
  GatherNd: readGatherNd,
  GatherV2: readGather,
  OneHot: readOneHot,
  ScatterNd: readScatterNd,
  TensorScatterAdd: scatter('add'),
  TensorScatterMax: scatter('max'),
  TensorScatterMin: scatter('min'),
  TensorScatterSub: readScatterSub,
  TensorScatterUpdate: scatter('none'),
  Where: readWhere,
} satisfies ReadRules;

/** Indices from the start: TF.js refuses those that count from the end, or reads zeros for them. */
function fromStart(writer: GraphWriter, indices: Value, size: Dim | undefined): Operand {
  if (writer.isNeverNegative(indices)) return writer.cast(indices, 'int32');
  if (size === undefined)
    throw writer.unwritable('the size that its indices count from is not known');
  const elements = indices.constant?.peek();
  if (elements && typeof size === 'number') {
    const settled = Array.from(toNumbers(elements), (index) => (index < 0 ? index + size : index));
    return writer.literal('int32', elements.shape, settled);
  }
  const given = writer.cast(indices, 'int32');
  const isNegative = writer.step('Less', [given, writer.int(0)], {}, 'bool');
  const counted = writer.step('AddV2', [given, writer.size(size)]);
  return writer.step('SelectV2', [isNegative, counted, given], {}, 'int32');
}

/** 0 … size-1 along one axis of a rank, times a factor. */
function coordinates(writer: GraphWriter, size: Dim, axis: number, rank: number, factor: Ref): Ref {
  const range = writer.step('Range', [writer.int(0), writer.size(size), writer.int(1)]);
  const shaped = writer.step('Reshape', [
    range,
    writer.ints(Array.from({ length: rank }, (_, i) => (i === axis ? -1 : 1))),
  ]);
  return writer.step('Mul', [shaped, factor]);
}

/**
 * Places of single elements in the flat tensor: the index along one axis, the position along the
 * others.
 */
function flatPlaces(writer: GraphWriter, indices: Value, axis: number, shape: Shape): Ref {
  const rank = shape.length;
  const step = (i: number) => writer.size(productOf(shape.slice(i + 1)));
  let places = writer.step('Mul', [fromStart(writer, indices, shape[axis]), step(axis)]);
  for (let i = 0; i < rank; i++) {
    if (i !== axis)
      places = writer.step('AddV2', [
        places,
        coordinates(writer, indices.shape![i]!, i, rank, step(i)),
      ]);
  }
  return places;
}

const noBatches = { batch_dims: int(0) };

/**
 * Coordinates from the start: those of the dimensions behind the batch dimensions, as many at once
 * as the last dimension of the indices has.
 */
function coordinatesFromStart(
  writer: GraphWriter,
  indices: Value,
  shape: Shape | undefined,
  batchDims = 0,
): Ref {
  const given = writer.cast(indices, 'int32');
  if (writer.isNeverNegative(indices)) return given;
  const depth = indices.shape?.at(-1);
  if (typeof depth !== 'number' || !shape)
    throw writer.unwritable('how many coordinates its indices have is not known');
  const counted = writer.step('AddV2', [
    given,
    writer.dims(shape.slice(batchDims, batchDims + depth)),
  ]);
  return writer.step(
    'SelectV2',
    [writer.step('Less', [given, writer.int(0)], {}, 'bool'), counted, given],
    {},
    'int32',
  );
}

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

/** Reading and writing by indices, both directions. */
export const indexing = { toCore, fromCore };
