import { ops, toNumbers, type Value } from '@drover/core';
import { buildRegionSamples, buildSize, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const numberOf = (node: SourceNode, index: number): number => toNumbers(node.constant(index))[0]!;

/** The selected indices, at most as many as operand 2 says. */
function selected(node: SourceNode, scoreThreshold: number): Value {
  const count = node.input(2).constant ? [numberOf(node, 2)] : null;
  return node.graph.add(
    ops.NonMaxSuppression,
    {
      boxes: node.input(0),
      scores: node.input(1),
      ...(count === null && { count: node.input(2) }),
    },
    { iouThreshold: numberOf(node, 3), scoreThreshold, count },
    node.step('selected'),
  ).indices;
}

/** Values in a list of a stated length that is filled up with zeros. */
function filledUp(node: SourceNode, values: Value, count: Value, step: string): Value {
  const { graph } = node;
  const place = graph.add(
    ops.Range,
    { start: node.scalar(count, 0), limit: count, delta: node.scalar(count, 1) },
    {},
    node.step(`${step}_places`),
  ).y;
  const indices = graph.add(
    ops.Unsqueeze,
    { x: place },
    { axes: [1] },
    node.step(`${step}_rows`),
  ).y;
  const length = node.input(2).constant ? [numberOf(node, 2)] : undefined;
  if (!length) throw node.unsupported('how long it fills up its result is not a constant');
  const zeros = graph.add(
    ops.Expand,
    { x: node.scalar(values, 0) },
    { shape: length },
    node.step(`${step}_zeros`),
  ).y;
  return graph.add(
    ops.ScatterND,
    { x: zeros, indices, updates: values },
    { reduction: 'none' },
    node.step(`${step}_filled`),
  ).y;
}

/** How many boxes were selected, as a scalar. */
function countOf(node: SourceNode, indices: Value): Value {
  const { graph } = node;
  const shape = graph.add(ops.Shape, { x: indices }, {}, node.step('shape')).y;
  return graph.add(ops.Squeeze, { x: shape }, { axes: [0] }, node.step('count')).y;
}

const readVersion =
  (version: 2 | 3 | 4 | 5): ToCore =>
  (node) => {
    if (version === 5 && numberOf(node, 5) !== 0)
      throw node.unsupported('it lowers the scores of boxes that overlap (soft_nms_sigma)');
    const indices = selected(node, version === 2 ? -Infinity : numberOf(node, 4));
    if (version < 4) return node.cast(indices, 'int32', 'narrow');
    const count = countOf(node, indices);
    const scores = node.graph.add(
      ops.Gather,
      { x: node.input(1), indices },
      { axis: 0 },
      node.step('scores'),
    ).y;
    const isFilled = node.bool('pad_to_max_output_size', false);
    const results = (version === 5 ? [indices, scores] : [indices]).map((values, i) =>
      isFilled ? filledUp(node, values, count, `list${i}`) : values,
    );
    const narrow = (value: Value, step: string) =>
      value.dtype === 'int64' ? node.cast(value, 'int32', step) : value;
    return [...results.map((value) => narrow(value, 'narrow')), narrow(count, 'narrow_count')];
  };

/**
 * Positions of the crops on an axis of the image: elements from 0 on, [boxes, size]. A crop of one
 * element is taken at the middle of its box.
 */
function positionsOf(node: SourceNode, start: Value, end: Value, last: Value, size: number): Value {
  const { graph } = node;
  const step = (name: string) => node.step(`${name}_${last.name}`);
  const binary = (
    op: typeof ops.Add | typeof ops.Mul | typeof ops.Sub | typeof ops.Div,
    a: Value,
    b: Value,
    name: string,
  ) => graph.add(op, { a, b }, {}, step(name)).y;
  if (size === 1) {
    const both = binary(ops.Add, start, end, 'both');
    return binary(
      ops.Mul,
      binary(ops.Mul, both, node.scalar(both, 0.5), 'middle'),
      last,
      'position',
    );
  }
  const extent = binary(ops.Mul, binary(ops.Sub, end, start, 'extent'), last, 'length');
  const between = binary(ops.Div, extent, node.scalar(extent, size - 1), 'between');
  const counts = graph.literal(
    start.dtype,
    [1, size],
    Array.from({ length: size }, (_, i) => i),
  );
  return binary(
    ops.Add,
    binary(ops.Mul, start, last, 'first'),
    binary(ops.Mul, counts, between, 'along'),
    'position',
  );
}

/** The elements that positions lie between, or lie next to, and which of them lie in the image. */
function sampledAt(node: SourceNode, position: Value, last: Value, isNearest: boolean) {
  const { graph } = node;
  const zero = node.scalar(position, 0);
  const unary = (op: typeof ops.Floor | typeof ops.Ceil, x: Value) =>
    graph.add(op, { x }, {}, node.step('side')).y;
  const inside = graph.add(
    ops.Min,
    { a: graph.add(ops.Max, { a: position, b: zero }, {}, node.step('first')).y, b: last },
    {},
    node.step('inside'),
  ).y;
  const half = () =>
    graph.add(ops.Add, { a: inside, b: node.scalar(inside, 0.5) }, {}, node.step('half')).y;
  const low = unary(ops.Floor, isNearest ? half() : inside);
  const high = isNearest ? low : unary(ops.Ceil, inside);
  const fraction = graph.add(
    ops.Sub,
    { a: isNearest ? low : inside, b: low },
    {},
    node.step('fraction'),
  ).y;
  const index = (x: Value) => node.cast(x, 'int64', 'index');
  const isInside = graph.add(
    ops.And,
    {
      a: graph.add(ops.GreaterOrEqual, { a: position, b: zero }, {}, node.step('behind_first')).y,
      b: graph.add(ops.LessOrEqual, { a: position, b: last }, {}, node.step('before_last')).y,
    },
    {},
    node.step('is_inside'),
  ).y;
  return { axis: { low: index(low), high: index(high), fraction }, isInside };
}

/** A crop has no more positions along an axis: they are written out. */
const maxPositions = 2 ** 16;

/**
 * Boxes of images resampled to one size; what lies outside has one value. Boxes are in float32, and
 * so are the results.
 */
const readCropAndResize: ToCore = (node) => {
  const { graph } = node;
  const [given, boxes, images] = [node.input(0), node.input(1), node.input(2)];
  const size = node.constantInts(3) as readonly [number, number];
  if (size.some((count) => count < 1 || count > maxPositions))
    throw node.unsupported(`it makes crops of ${size.join(' by ')} elements`);
  const isNearest = node.text('method', 'bilinear') === 'nearest';
  node.rank(given);
  const x = node.cast(given, 'float32', 'image');
  const one = graph.literal('int64', [], [1]);
  const lastOf = (axis: number) => {
    const count = graph.add(
      ops.Sub,
      { a: buildSize(graph, x, axis), b: one },
      {},
      node.step(`last${axis}`),
    ).y;
    return node.cast(count, 'float32', `last_${axis}`);
  };
  const column = (at: number) =>
    graph.add(
      ops.Slice,
      { x: boxes },
      { axes: [1], starts: [at], ends: [at + 1], steps: [1] },
      node.step(`corner${at}`),
    ).y;
  const along = (axis: 1 | 2) => {
    const last = lastOf(axis);
    const position = positionsOf(node, column(axis - 1), column(axis + 1), last, size[axis - 1]!);
    return sampledAt(node, position, last, isNearest);
  };
  const [rows, columns] = [along(1), along(2)];
  const values = buildRegionSamples(
    graph,
    x,
    node.cast(images, 'int64', 'images'),
    rows.axis,
    columns.axis,
  );
  const wide = (value: Value, axes: readonly number[], name: string) =>
    graph.add(ops.Unsqueeze, { x: value }, { axes }, node.step(name)).y;
  const condition = graph.add(
    ops.And,
    { a: wide(rows.isInside, [2, 3], 'rows'), b: wide(columns.isInside, [1, 3], 'columns') },
    {},
    node.step('inside_both'),
  ).y;
  const outside = node.scalar(values, node.float('extrapolation_value', 0));
  return graph.add(ops.Where, { condition, x: values, y: outside }, {}, node.options).y;
};

const toCore = {
  CropAndResize: readCropAndResize,
  NonMaxSuppressionV2: readVersion(2),
  NonMaxSuppressionV3: readVersion(3),
  NonMaxSuppressionV4: readVersion(4),
  NonMaxSuppressionV5: readVersion(5),
} satisfies ReadRules;

/**
 * The next larger number of 32 bits: TensorFlow.js takes a box off at the threshold, not only above
 * it.
 */
function above(threshold: number): number {
  const bits = new DataView(new ArrayBuffer(4));
  bits.setFloat32(0, threshold === 0 ? 0 : threshold);
  bits.setInt32(0, bits.getInt32(0) + (threshold < 0 ? -1 : 1));
  return bits.getFloat32(0);
}

const fromCore = {
  NonMaxSuppression: (node, writer) => {
    const { boxes, scores, count: operand } = node.operands;
    const { iouThreshold, scoreThreshold, count } = node.attrs;
    const most = count
      ? writer.size(count[0]!)
      : writer.step('Reshape', [writer.cast(operand!, 'int32'), writer.ints([])]);
    const limits = [
      writer.literal('float32', [], [above(iouThreshold)]),
      writer.literal('float32', [], [scoreThreshold]),
    ];
    writer.node('NonMaxSuppressionV3', [boxes, scores, most, ...limits], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on boxes and regions of images, both directions. */
export const detection = { toCore, fromCore };
