import {
  addDim,
  mulDim,
  ops,
  productOf,
  subDim,
  type Dim,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { exactQuotient, gap, type WriteRules } from '@drover/core/format';
import { int, text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { channelsLastOnly, layoutOf } from '../vocabulary/window.js';

const readDepth: ToCore = (node) => {
  const attrs = { layout: layoutOf(node), blockSize: node.int('block_size') };
  if (node.type === 'SpaceToDepth')
    return node.graph.add(ops.SpaceToDepth, { x: node.input(0) }, attrs, node.options).y;
  return node.graph.add(
    ops.DepthToSpace,
    { x: node.input(0) },
    { ...attrs, mode: 'DCR' },
    node.options,
  ).y;
};

/** What SpaceToBatchND made a value from. */
interface Blocks {
  readonly x: Value;
  readonly block: readonly number[];
  /** Amounts before and after each spatial dimension. */
  readonly paddings: readonly Dim[];
}

/** Results of SpaceToBatchND, for the BatchToSpaceND that undoes them behind a convolution. */
const made = new WeakMap<Value, Blocks>();

function pairsOf(node: SourceNode, index: number): readonly Dim[] {
  const pairs = node.input(index).elements;
  if (pairs) return pairs;
  throw node.unsupported('its amounts depend on data');
}

const quotient = (node: SourceNode, dim: Dim, block: number): Dim => {
  const part = exactQuotient(dim, block);
  if (part === undefined)
    throw node.unsupported(`whether ${String(dim)} is a multiple of ${block} is not known`);
  return part;
};

/**
 * Blocks of the spatial dimensions, after padding, become batches:
 * tensorflow/core/api_def/base_api/api_def_SpaceToBatchND.pbtxt.
 */
const readSpaceToBatch: ToCore = (node) => {
  const x = node.input(0);
  const block = node.constantInts(1);
  const paddings = pairsOf(node, 2);
  const shape = node.dims(x);
  const count = block.length;
  const rest = shape.slice(count + 1);
  const amounts = (end: 0 | 1) => [
    0,
    ...block.map((_, i) => paddings[2 * i + end]!),
    ...rest.map(() => 0),
  ];
  const padded = shape.map((dim, i) =>
    i >= 1 && i <= count ? addDim(dim, addDim(paddings[2 * i - 2]!, paddings[2 * i - 1]!)) : dim,
  );
  const isPadded = paddings.some((amount) => amount !== 0);
  const whole = isPadded
    ? node.graph.add(
        ops.Pad,
        { x },
        { mode: 'constant', pads: [...amounts(0), ...amounts(1)] },
        node.step('pad'),
      ).y
    : x;
  const parts = block.map((size, i) => quotient(node, padded[i + 1]!, size));
  const split: Shape = [shape[0]!, ...parts.flatMap((part, i) => [part, block[i]!]), ...rest];
  const perm = [
    ...block.map((_, i) => 2 * i + 2),
    0,
    ...block.map((_, i) => 2 * i + 1),
    ...rest.map((_, i) => 2 * count + 1 + i),
  ];
  const moved = node.transposed(node.reshaped(whole, split, 'split'), perm, 'move');
  const y = node.graph.add(
    ops.Reshape,
    { x: moved },
    { shape: [mulDim(shape[0]!, productOf(block)), ...parts, ...rest] },
    node.options,
  ).y;
  made.set(y, { x, block, paddings });
  return y;
};

/** The convolution that a value is, if it neither strides nor dilates nor pads. */
function plainConvolution(value: Value): Node<typeof ops.Conv> | undefined {
  const node = value.producer;
  if (!node?.is(ops.Conv)) return undefined;
  const { strides, dilations, padding, pads, layout } = node.attrs;
  const isPlain =
    [...strides, ...dilations].every((step) => step === 1) &&
    padding === 'explicit' &&
    pads.every((pad) => pad === 0) &&
    layout === 'channelsLast';
  return isPlain ? node : undefined;
}

/**
 * A convolution between the two is a dilated one: what it pads is what they pad, less what they
 * crop.
 */
function asDilated(
  node: SourceNode,
  value: Value,
  block: readonly number[],
  crops: readonly Dim[],
): Value | undefined {
  const convolution = plainConvolution(value);
  const source = convolution && made.get(convolution.operands.x);
  if (
    !convolution ||
    !source ||
    source.block.join() !== block.join() ||
    block.length !== convolution.attrs.strides.length
  )
    return undefined;
  const pads = [0, 1].flatMap((end) =>
    block.map((_, i) => subDim(source.paddings[2 * i + end]!, crops[2 * i + end]!)),
  );
  if (!pads.every((pad) => typeof pad === 'number' && pad >= 0)) return undefined;
  // Cropping at the begin would not be undone by padding less: the phases would shift.
  if (crops.some((crop, i) => i % 2 === 0 && crop !== 0)) return undefined;
  const { w, bias } = convolution.operands;
  return node.graph.add(
    ops.Conv,
    { x: source.x, w, bias },
    { ...convolution.attrs, dilations: block, pads: pads as readonly number[] },
    node.options,
  ).y;
}

/** The inverse: batches become blocks of the spatial dimensions, which are then cropped. */
const readBatchToSpace: ToCore = (node) => {
  const x = node.input(0);
  const block = node.constantInts(1);
  const crops = pairsOf(node, 2);
  const dilated = asDilated(node, x, block, crops);
  if (dilated) return dilated;
  const shape = node.dims(x);
  const count = block.length;
  const rest = shape.slice(count + 1);
  const batch = quotient(
    node,
    shape[0]!,
    block.reduce((a, b) => a * b, 1),
  );
  const spatial = shape.slice(1, count + 1);
  const perm = [
    count,
    ...block.flatMap((_, i) => [count + 1 + i, i]),
    ...rest.map((_, i) => 2 * count + 1 + i),
  ];
  const moved = node.transposed(
    node.reshaped(x, [...block, batch, ...spatial, ...rest], 'split'),
    perm,
    'move',
  );
  const sizes = spatial.map((dim, i) => mulDim(dim, block[i]!));
  const isCropped = crops.some((crop) => crop !== 0);
  const joined = node.graph.add(
    ops.Reshape,
    { x: moved },
    { shape: [batch, ...sizes, ...rest] },
    isCropped ? node.step('join') : node.options,
  ).y;
  if (!isCropped) return joined;
  const attrs = {
    axes: block.map((_, i) => i + 1),
    starts: block.map((_, i) => crops[2 * i]!),
    ends: sizes.map((size, i) => subDim(size, crops[2 * i + 1]!)),
    steps: block.map(() => 1),
  };
  return node.graph.add(ops.Slice, { x: joined }, attrs, node.options).y;
};

const toCore = {
  BatchToSpaceND: readBatchToSpace,
  DepthToSpace: readDepth,
  SpaceToBatchND: readSpaceToBatch,
  SpaceToDepth: readDepth,
} satisfies ReadRules;

const fromCore = {
  DepthToSpace: (node, writer) => {
    const { layout, blockSize, mode } = node.attrs;
    if (layout !== 'channelsLast') return channelsLastOnly;
    const { x } = node.operands;
    const channels = x.shape?.at(-1);
    const attributes = { block_size: int(blockSize), data_format: text('NHWC') };
    if (mode === 'DCR') return writer.node('DepthToSpace', [x], attributes, node.outputs);
    if (typeof channels !== 'number') return gap('the number of its channels is not known');
    // TensorFlow takes the channels of a result next to each other, CRD the elements of a block.
    const square = blockSize * blockSize;
    const kept = channels / square;
    const order = Array.from(
      { length: channels },
      (_, i) => (i % kept) * square + Math.floor(i / kept),
    );
    const sorted = writer.step('GatherV2', [x, writer.ints(order), writer.int(3)], {
      batch_dims: int(0),
    });
    return writer.node('DepthToSpace', [sorted], attributes, node.outputs);
  },
  SpaceToDepth: (node, writer) => {
    const { x } = node.operands;
    const { layout, blockSize } = node.attrs;
    if (layout !== 'channelsLast') return channelsLastOnly;
    const result = node.outputs[0]!.shape;
    if (!x.shape || !result || x.shape.length !== 4)
      return gap('TensorFlow takes blocks of images only');
    // TF.js has no SpaceToDepth.
    const [batch, rows, columns] = result;
    const split = writer.reshape(x, [batch!, rows!, blockSize, columns!, blockSize, x.shape[3]!]);
    return writer.node(
      'Reshape',
      [writer.step('Transpose', [split, writer.ints([0, 1, 3, 2, 4, 5])]), writer.target(result)],
      {},
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/**
 * Blocks of space as batches, read only (core has dilated convolutions, and reshapes for the rest),
 * and as depth, both directions.
 */
export const blocks = { toCore, fromCore };
