import { isStatic, ops, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, checkCount, scalarOf } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** The grid holds x and y in -1 to 1 as two channels; outside the image is zero. */
const readBilinearSampler: ToCore = (node) => {
  const grid = node.graph.add(
    ops.Transpose,
    { x: node.input(1) },
    { perm: [0, 2, 3, 1] },
    node.step('grid'),
  ).y;
  return node.graph.add(
    ops.GridSample,
    { x: node.input(0), grid },
    { mode: 'linear', padding: 'zeros', alignCorners: true, layout: 'channelsFirst' },
    node.options,
  ).y;
};

/**
 * MXNet aligns corners: where they are not, the grid of a dimension of n elements reaches n / (n -
 * 1) times as far. A grid cut off at the border keeps to it.
 */
function writeGridSample(node: Node<typeof ops.GridSample>, writer: GraphWriter): Gap | void {
  const { mode, padding, alignCorners } = node.attrs;
  const { x, grid } = node.operands;
  if (mode !== 'linear' || x.rank !== 4 || !/^(zeros|border)$/.test(padding))
    return gap('MXNet samples images linearly, with zeros or the border around them');
  let at: Operand = writer.step('transpose', [grid], { axes: [0, 3, 1, 2] });
  if (!alignCorners) {
    const sizes = [x.shape![3]!, x.shape![2]!];
    if (!isStatic(sizes) || sizes.includes(1))
      return gap('MXNet aligns corners, and the size of its images is not known or 1');
    const reach = (sizes as readonly number[]).map((size) => size / (size - 1));
    at = writer.step('broadcast_mul', [at, writer.literal(grid.dtype, [1, 2, 1, 1], reach)]);
  }
  if (padding === 'border') at = writer.step('clip', [at], { a_min: -1, a_max: 1 });
  writer.node('BilinearSampler', [x, at], {}, node.outputs);
}

const toCore = {
  BilinearSampler: readBilinearSampler,
  GridGenerator: readGridGenerator,
  SpatialTransformer: readSpatialTransformer,
} satisfies ReadRules;

const fromCore = {
  GridSample: writeGridSample,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Images sampled at given positions, both directions. */
export const gridSample = { toCore, fromCore };
