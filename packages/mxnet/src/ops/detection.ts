import { isStatic, ops, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, checkCount, scalarOf } from '../vocabulary/build.js';
import { heldType, type GraphWriter } from '../vocabulary/graph-writer.js';
import type { KeepRules, ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** A row of the regions is the image and the corners. */
const readRoiAlign: ToCore = (node) => {
  const [x, rois] = [node.input(0), node.input(1)];
  const samples = node.int('sample_ratio');
  if (samples <= 0) throw node.unsupported('it samples each region as densely as its size asks');
  if (node.bool('position_sensitive'))
    throw node.unsupported('it takes other channels for each part of a region');
  const columns = (start: number, end: number, step: string) =>
    node.graph.add(
      ops.Slice,
      { x: rois },
      { axes: [1], starts: [start], ends: [end], steps: [1] },
      node.step(step),
    ).y;
  const column = node.graph.add(
    ops.Squeeze,
    { x: columns(0, 1, 'image') },
    { axes: [1] },
    node.step('column'),
  ).y;
  const images = node.graph.add(ops.Cast, { x: column }, { to: 'int64' }, node.step('images')).y;
  const isAligned = node.bool('aligned');
  const attrs = {
    size: node.spatial('pooled_size', 2, 1),
    samples,
    scale: node.float('spatial_scale'),
    offset: isAligned ? 0.5 : 0,
    atLeastOne: !isAligned,
  };
  return node.graph.add(
    ops.RoiAlign,
    { x, regions: columns(1, 5, 'regions'), images },
    attrs,
    node.options,
  ).y;
};

/**
 * Whether MXNet has a resampling of regions: those it keeps at least one element wide are those
 * that it does not move.
 */
function isRoiAlign(node: Node): boolean {
  const { offset, atLeastOne } = node.attrs as {
    readonly offset: number;
    readonly atLeastOne: boolean;
  };
  return atLeastOne ? offset === 0 : offset === 0.5;
}

function writeRoiAlign(node: Node<typeof ops.RoiAlign>, writer: GraphWriter): Gap | void {
  const { x, regions, images } = node.operands;
  if (!isRoiAlign(node as Node))
    return gap('MXNet keeps regions at least one element wide just where it does not move them');
  const column = writer.step(
    'expand_dims',
    [writer.cast(images as Value, heldType(images.dtype), regions.dtype)],
    { axis: 1 },
  );
  const rois = writer.step('Concat', [column, regions], { num_args: 2, dim: 1 });
  const { size, samples, scale, atLeastOne } = node.attrs;
  const attributes = {
    pooled_size: size,
    spatial_scale: scale,
    sample_ratio: samples,
    aligned: !atLeastOne,
  };
  writer.node('_contrib_ROIAlign', [x, rois], attributes, node.outputs);
}

const toCore = {
  _contrib_MultiBoxPrior: readMultiBoxPrior,
  _contrib_ROIAlign: readRoiAlign,
  _contrib_box_iou: readBoxIou,
} satisfies ReadRules;

const fromCore = {
  NonMaxSuppression: gap(
    'the size of its result depends on data, and MXNet allocates results before it runs',
  ),
  RoiAlign: writeRoiAlign,
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  RoiAlign: isRoiAlign,
} satisfies KeepRules;

/** Operators on boxes and regions of images, both directions. */
export const detection = { toCore, fromCore, keeps };
