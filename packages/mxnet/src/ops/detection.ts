import { gap, ops, type Gap, type Node, type Value, type WriteRules } from '@drover/core';
import { heldType, type GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

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
export function isRoiAlign(node: Node): boolean {
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

const toCore = { _contrib_ROIAlign: readRoiAlign } satisfies ReadRules;

const fromCore = { RoiAlign: writeRoiAlign } satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on regions of images, both directions. */
export const detection = { toCore, fromCore };
