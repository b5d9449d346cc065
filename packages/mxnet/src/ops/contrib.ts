import { isStatic, ops, type Value } from '@drover/core';
import { binary, cast, checkCount, indicesOf, scalarOf } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** Divided by the root of the size of the last dimension, as scores of attention are. */
const readDivSqrtDim: ToCore = (node) => {
  const x = node.input(0);
  const size = node.shape(0).at(-1);
  if (typeof size !== 'number')
    throw node.unsupported('the size of its last dimension is not known');
  return binary(node, ops.Div, x, scalarOf(node, x.dtype, Math.sqrt(size)));
};

/** a x^2 + b x + c. */
const readQuadratic: ToCore = (node) => {
  const x = node.input(0);
  const number = (name: string) => scalarOf(node, x.dtype, node.float(name));
  const line = binary(
    node,
    ops.Add,
    binary(node, ops.Mul, x, number('a'), 'slope'),
    number('b'),
    'line',
  );
  return binary(node, ops.Add, binary(node, ops.Mul, line, x, 'product'), number('c'));
};

/** Slices along the first dimension put in the place of others. */
const readIndexCopy: ToCore = (node) => {
  const places = indicesOf(node, node.input(1));
  const indices = node.graph.add(ops.Unsqueeze, { x: places }, { axes: [1] }, node.step('rows')).y;
  return node.graph.add(
    ops.ScatterND,
    { x: node.input(0), indices, updates: node.input(2) },
    { reduction: 'none' },
    node.options,
  ).y;
};

/** The corners of boxes along the last dimension, each [..., 1]. */
function sidesOf(node: SourceNode, boxes: Value, step: string) {
  const rank = boxes.rank!;
  const side = (at: number) =>
    node.graph.add(
      ops.Slice,
      { x: boxes },
      { axes: [rank - 1], starts: [at], ends: [at + 1], steps: [1] },
      node.step(`${step}${at}`),
    ).y;
  const [a, b, c, d] = [side(0), side(1), side(2), side(3)];
  if (node.text('format') === 'corner') return { left: a, top: b, right: c, bottom: d };
  const half = (x: Value) => binary(node, ops.Mul, x, scalarOf(node, x.dtype, 0.5), `${step}_half`);
  const between = (op: typeof ops.Add | typeof ops.Sub, x: Value, size: Value) =>
    binary(node, op, x, half(size), `${step}_side`);
  return {
    left: between(ops.Sub, a, c),
    top: between(ops.Sub, b, d),
    right: between(ops.Add, a, c),
    bottom: between(ops.Add, b, d),
  };
}

/** The area that two boxes share over the area that they cover, for each pair of rows. */
const readBoxIou: ToCore = (node) => {
  const [lhs, rhs] = [node.input(0), node.input(1)];
  if (lhs.rank !== 2 || rhs.rank !== 2)
    throw node.unsupported('its boxes are not rows of one matrix each');
  const { dtype } = lhs;
  const zero = scalarOf(node, dtype, 0);
  const a = sidesOf(node, lhs, 'a');
  const columns = sidesOf(node, rhs, 'b');
  const row = (x: Value) =>
    node.graph.add(ops.Transpose, { x }, { perm: [1, 0] }, node.step('row')).y;
  const b = {
    left: row(columns.left),
    top: row(columns.top),
    right: row(columns.right),
    bottom: row(columns.bottom),
  };
  const extent = (end: Value, start: Value) =>
    binary(node, ops.Max, binary(node, ops.Sub, end, start, 'difference'), zero, 'extent');
  const area = (box: typeof a) =>
    binary(node, ops.Mul, extent(box.right, box.left), extent(box.bottom, box.top), 'area');
  const width = extent(
    binary(node, ops.Min, a.right, b.right, 'right'),
    binary(node, ops.Max, a.left, b.left, 'left'),
  );
  const height = extent(
    binary(node, ops.Min, a.bottom, b.bottom, 'bottom'),
    binary(node, ops.Max, a.top, b.top, 'top'),
  );
  const shared = binary(node, ops.Mul, width, height, 'shared');
  const covered = binary(
    node,
    ops.Sub,
    binary(node, ops.Add, area(a), area(b), 'both'),
    shared,
    'covered',
  );
  const isEmpty = binary(node, ops.LessOrEqual, shared, zero, 'is_empty');
  const quotient = binary(node, ops.Div, shared, covered, 'quotient');
  return node.graph.add(ops.Where, { condition: isEmpty, x: zero, y: quotient }, {}, node.options)
    .y;
};

/**
 * Boxes of several sizes and shapes around the middle of every pixel, in parts of the image: what
 * they are follows from its size alone.
 */
const readMultiBoxPrior: ToCore = (node) => {
  const { dtype, shape } = node.input(0);
  const [height, width] = shape && isStatic(shape) ? shape.slice(2) : [];
  if (height === undefined || width === undefined)
    throw node.unsupported('the size of its image is not known');
  const [sizes, ratios] = [node.ints('sizes') ?? [1], node.ints('ratios') ?? [1]];
  const [stepY, stepX] = (node.ints('steps') ?? [-1, -1]).map((step, i) =>
    step > 0 ? step : 1 / [height, width][i]!,
  ) as [number, number];
  const [offsetY, offsetX] = node.ints('offsets') as [number, number];
  const kinds = [
    ...sizes.map((size) => [size, ratios[0] ?? 1] as const),
    ...ratios.slice(1).map((ratio) => [sizes[0]!, ratio] as const),
  ];
  const halves = kinds.map(
    ([size, ratio]) =>
      [((size * height) / width) * (Math.sqrt(ratio) / 2), size / Math.sqrt(ratio) / 2] as const,
  );
  checkCount(node, height * width * kinds.length * 4);
  const boxes: number[] = [];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [y, x] = [(row + offsetY) * stepY, (column + offsetX) * stepX];
      for (const [w, h] of halves) boxes.push(x - w, y - h, x + w, y + h);
    }
  }
  const clipped = node.bool('clip') ? boxes.map((side) => Math.min(Math.max(side, 0), 1)) : boxes;
  return node.graph.literal(dtype, [1, boxes.length / 4, 4], clipped, node.name);
};

/** Numbers from -1 to 1, as positions on an axis of so many elements are given. */
const spread = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => (count === 1 ? -1 : (2 * i) / (count - 1) - 1));

/**
 * The positions that affine maps [batch, 6] give the elements of an image of a size: [batch, 2,
 * height, width].
 */
function affineGrid(node: SourceNode, maps: Value): Value {
  const { graph } = node;
  const [height, width] = node.spatial('target_shape', 2, 0) as [number, number];
  if (height <= 0 || width <= 0) throw node.unsupported('its target_shape is not stated');
  checkCount(node, 3 * height * width);
  const [ys, xs] = [spread(height), spread(width)];
  const plane = [
    ...ys.flatMap(() => xs),
    ...ys.flatMap((y) => xs.map(() => y)),
    ...ys.flatMap(() => xs.map(() => 1)),
  ];
  const places = graph.literal(maps.dtype, [3, height * width], plane);
  const matrices = graph.add(ops.Reshape, { x: maps }, { shape: [-1, 2, 3] }, node.step('maps')).y;
  const mapped = binary(node, ops.MatMul, matrices, places, 'mapped');
  return graph.add(ops.Reshape, { x: mapped }, { shape: [-1, 2, height, width] }, node.step('grid'))
    .y;
}

/** The positions that a flow of pixels [batch, 2, height, width] leads to. */
function warpedGrid(node: SourceNode, flow: Value): Value {
  const [height, width] = node.shape(0).slice(2);
  if (typeof height !== 'number' || typeof width !== 'number')
    throw node.unsupported('the size of its flow is not known');
  checkCount(node, 2 * height * width);
  const { graph } = node;
  const rows = Array.from({ length: height }, (_, i) => i);
  const columns = Array.from({ length: width }, (_, i) => i);
  const own = graph.literal(
    flow.dtype,
    [2, height, width],
    [...rows.flatMap(() => columns), ...rows.flatMap((row) => columns.map(() => row))],
  );
  const halves = graph.literal(flow.dtype, [2, 1, 1], [(width - 1) / 2, (height - 1) / 2]);
  const moved = binary(node, ops.Div, binary(node, ops.Add, flow, own, 'moved'), halves, 'scaled');
  return binary(node, ops.Sub, moved, scalarOf(node, flow.dtype, 1));
}

const readGridGenerator: ToCore = (node) => {
  const x = node.input(0);
  return node.text('transform_type') === 'warp' ? warpedGrid(node, x) : affineGrid(node, x);
};

const readSpatialTransformer: ToCore = (node) => {
  node.ignore('sampler_type', 'transform_type', 'cudnn_off');
  const planes = affineGrid(node, node.input(1));
  const grid = node.graph.add(
    ops.Transpose,
    { x: planes },
    { perm: [0, 2, 3, 1] },
    node.step('positions'),
  ).y;
  const attrs = {
    mode: 'linear',
    padding: 'zeros',
    alignCorners: true,
    layout: 'channelsFirst',
  } as const;
  return node.graph.add(ops.GridSample, { x: node.input(0), grid }, attrs, node.options).y;
};

/** Images with their channels last in 0 to 255 as images with their channels first in 0 to 1. */
const readToTensor: ToCore = (node) => {
  const rank = node.shape(0).length;
  const scaled = binary(
    node,
    ops.Div,
    cast(node, node.input(0), 'float32', 'floats'),
    scalarOf(node, 'float32', 255),
    'scaled',
  );
  return node.graph.add(
    ops.Transpose,
    { x: scaled },
    { perm: rank === 3 ? [2, 0, 1] : [0, 3, 1, 2] },
    node.options,
  ).y;
};

/** Each channel less a mean, over a deviation. */
const readNormalize: ToCore = (node) => {
  const x = node.input(0);
  const channels = node.shape(0).at(-3);
  if (typeof channels !== 'number')
    throw node.unsupported('the number of its channels is not known');
  const along = (name: string) => {
    const stated = node.ints(name) ?? [];
    return node.graph.literal(
      x.dtype,
      [channels, 1, 1],
      Array.from({ length: channels }, (_, i) => stated[i] ?? stated[0]!),
    );
  };
  return binary(node, ops.Div, binary(node, ops.Sub, x, along('mean'), 'centred'), along('std'));
};

const readGradientMultiplier: ToCore = (node) => {
  node.ignore('scalar', 'is_int');
  return node.input(0);
};

/** Ones on a diagonal. */
const readEye: ToCore = (node) => {
  const rows = node.int('N');
  const columns = node.int('M') || rows;
  const ones = node.graph.literal(node.dtype('dtype'), [1, 1], [1]);
  const full = node.graph.add(
    ops.Expand,
    { x: ones },
    { shape: [rows, columns] },
    node.step('ones'),
  ).y;
  const lower = node.graph.add(
    ops.Trilu,
    { x: full },
    { upper: false, k: node.int('k') },
    node.step('lower'),
  ).y;
  return node.graph.add(ops.Trilu, { x: lower }, { upper: true, k: node.int('k') }, node.options).y;
};

const toCore = {
  GridGenerator: readGridGenerator,
  SpatialTransformer: readSpatialTransformer,
  _contrib_MultiBoxPrior: readMultiBoxPrior,
  _contrib_box_iou: readBoxIou,
  _contrib_div_sqrt_dim: readDivSqrtDim,
  _contrib_gradientmultiplier: readGradientMultiplier,
  _contrib_index_copy: readIndexCopy,
  _contrib_quadratic: readQuadratic,
  _eye: readEye,
  _image_normalize: readNormalize,
  _image_to_tensor: readToTensor,
} satisfies ReadRules;

/** Operators that MXNet adds to the common ones, in terms of those. */
export const contrib = { toCore };
