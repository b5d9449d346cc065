import {
  addDim,
  isStatic,
  mulDim,
  ops,
  sizeOf,
  subDim,
  tensor,
  Weight,
  type Node,
  type Value,
} from '@drover/core';
import { gap, type Gap, type Layout, type WriteRules } from '@drover/core/format';
import type { GraphWriter, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { explicitPads, layoutOf, openPads, padded, type Window } from '../vocabulary/window.js';

/**
 * Filters as core has them: [out, in, spatial…]. With channels last they are stored [out, spatial…,
 * in].
 */
function filters(node: SourceNode, w: Value, layout: Layout, rank: number): Value {
  if (layout === 'channelsFirst') return w;
  const perm = [0, rank + 1, ...Array.from({ length: rank }, (_, i) => i + 1)];
  if (w.constant) return node.graph.constant(w.constant.transpose(perm), w.name, w.origin);
  return node.graph.add(ops.Transpose, { x: w }, { perm }, node.step('filters')).y;
}

const readConvolution: ToCore = (node) => {
  const kernel = node.ints('kernel') ?? [];
  const rank = kernel.length;
  const layout = layoutOf(node);
  const sizes = layout === 'channelsFirst' ? [undefined, ...kernel] : [...kernel, undefined];
  const w = node.restated(1, [node.int('num_filter'), ...sizes]);
  const pads = node.spatial('pad', rank, 0);
  const attrs = {
    layout,
    strides: node.spatial('stride', rank, 1),
    dilations: node.spatial('dilate', rank, 1),
    padding: 'explicit' as const,
    pads: [...pads, ...pads],
    groups: node.int('num_group'),
  };
  const bias = node.bool('no_bias') ? undefined : node.input(2);
  return node.graph.add(
    ops.Conv,
    { x: node.input(0), w: filters(node, w, layout, rank), bias },
    attrs,
    node.options,
  ).y;
};

/**
 * A stated size of the result replaces `pad` and `adj`: the pads are half of what is too much, the
 * larger half first.
 */
const readDeconvolution: ToCore = (node) => {
  const kernel = node.ints('kernel') ?? [];
  const rank = kernel.length;
  if (layoutOf(node) !== 'channelsFirst')
    throw node.unsupported('its layout has the channels last');
  const [strides, dilations] = [node.spatial('stride', rank, 1), node.spatial('dilate', rank, 1)];
  let begins: readonly number[] = node.spatial('pad', rank, 0);
  let adj: readonly number[] = node.spatial('adj', rank, 0);
  const target = node.spatial('target_shape', rank, 0);
  if (target.some((size) => size !== 0)) {
    const totals = node
      .shape(0)
      .slice(2)
      .map((size, i) =>
        addDim(
          mulDim(strides[i]!, subDim(size, 1)),
          dilations[i]! * (kernel[i]! - 1) + 1 - target[i]!,
        ),
      );
    if (!totals.every((total) => typeof total === 'number'))
      throw node.unsupported('its pads depend on a size that is not known');
    if (totals.some((total) => total < 0))
      throw node.unsupported('its target_shape is larger than what the filters reach');
    adj = totals.map((total) => total % 2);
    begins = totals.map((total) => Math.ceil(total / 2));
  }
  const attrs = {
    layout: 'channelsFirst' as const,
    strides,
    dilations,
    pads: [...begins, ...begins],
    outputPadding: adj,
    groups: node.int('num_group'),
    outputSizes: null,
  };
  const w = node.restated(1, [undefined, node.int('num_filter') / attrs.groups, ...kernel]);
  const bias = node.bool('no_bias') ? undefined : node.input(2);
  return node.graph.add(ops.ConvTranspose, { x: node.input(0), w, bias }, attrs, node.options).y;
};

/**
 * How often the input may be unfolded beside what a convolution reads and writes before MXNet's
 * library takes its plain loops.
 */
const unfolding = 12;

/** The width in which MXNet's library vectorises filters over one channel. */
const lanes = 8;

/**
 * How many filters to give a convolution. Over one channel oneDNN has vectorised kernels for
 * multiples of eight filters; else it unfolds the input into a matrix, and where that would be much
 * larger than the tensors (measured with 1.9.1: more than 12 to 16 times) it runs its reference
 * loops: up to a hundred times as long, and with another order of rounding than onnxruntime and
 * TensorFlow have, which shows where a model takes the logarithm of what cancels out.
 */
function paddedFilters(
  filters: number,
  channels: number,
  kernel: readonly number[],
  { strides, groups }: Window & { readonly groups: number },
): number {
  if (channels !== 1 || groups !== 1) return filters;
  const taps = sizeOf(kernel);
  return taps > unfolding * (sizeOf(strides) + filters)
    ? Math.ceil(filters / lanes) * lanes
    : filters;
}

/** A constant with zeros behind it along axis 0. */
function filledUp(writer: GraphWriter, { name, constant }: Value, size: number): Ref {
  const weight = constant!;
  const [count, ...rest] = weight.shape;
  const missing = [size - count!, ...rest];
  const zeros = Weight.from(
    tensor(weight.dtype, missing, new Array<number>(sizeOf(missing)).fill(0)),
  );
  return writer.array(name, Weight.concat([weight, zeros], 0));
}

function writeConv(node: Node<typeof ops.Conv>, writer: GraphWriter): Gap | void {
  const { x, w, bias } = node.operands;
  const { strides, dilations, groups } = node.attrs;
  const kernel = w.shape?.slice(2);
  if (!kernel || !isStatic(kernel) || typeof w.shape![0] !== 'number')
    return gap('the size of its filters is not known');
  if (kernel.length > 3) return gap('MXNet convolves over at most three axes');
  const pads = explicitPads(x, kernel, node.attrs);
  if (!pads) return openPads;
  const { x: from, pad } = padded(writer, x, pads, 0);
  const filters = w.shape![0];
  const isStored = w.constant !== undefined && (bias === undefined || bias.constant !== undefined);
  const written = isStored
    ? paddedFilters(filters, Number(w.shape![1]), kernel, node.attrs)
    : filters;
  const attributes = {
    kernel,
    stride: strides,
    dilate: dilations,
    pad,
    num_filter: written,
    num_group: groups,
    no_bias: bias === undefined,
  };
  const weights = [w, ...(bias ? [bias] : [])];
  if (written === filters)
    return writer.node('Convolution', [from, ...weights], attributes, node.outputs);
  const full = writer.step(
    'Convolution',
    [from, ...weights.map((each) => filledUp(writer, each, written))],
    attributes,
  );
  writer.node('slice_axis', [full], { axis: 1, begin: 0, end: filters }, node.outputs);
}

/**
 * Without pads of its own where they differ at the ends or a size is stated; then the result is cut
 * or filled up.
 */
function writeConvTranspose(node: Node<typeof ops.ConvTranspose>, writer: GraphWriter): Gap | void {
  const { x, w, bias } = node.operands;
  const { strides, dilations, groups, pads, outputPadding, outputSizes } = node.attrs;
  const kernel = w.shape?.slice(2);
  if (!kernel || !isStatic(kernel) || typeof w.shape![1] !== 'number')
    return gap('the size of its filters is not known');
  if (node.operands.outputSizes) return gap('the size of its result depends on data');
  const rank = kernel.length;
  const [begins, ends] = [pads.slice(0, rank), pads.slice(rank)];
  const filters = w.shape![1] * groups;
  const common = {
    kernel,
    stride: strides,
    dilate: dilations,
    num_filter: filters,
    num_group: groups,
    no_bias: bias === undefined,
  };
  const inputs = bias ? [x, w, bias] : [x, w];
  const isEven = outputSizes === null && begins.every((begin, i) => begin === ends[i]);
  if (isEven && outputPadding.every((extra, i) => extra < strides[i]!))
    return writer.node(
      'Deconvolution',
      inputs,
      { ...common, pad: begins, adj: outputPadding },
      node.outputs,
    );
  const result = node.outputs[0]!.shape?.slice(2);
  const full = x.shape
    ?.slice(2)
    .map((size, i) =>
      typeof size === 'number'
        ? (size - 1) * strides[i]! + (kernel[i]! - 1) * dilations[i]! + 1
        : undefined,
    );
  if (!result || !isStatic(result) || !full)
    return gap('what to cut off follows from a size that is not known before the model runs');
  const missing = full.map((size, i) => Math.max(0, begins[i]! + result[i]! - (size ?? 0)));
  if (bias && missing.some((size) => size > 0))
    return gap('its result reaches beyond what its filters do');
  const whole = writer.step('Deconvolution', inputs, {
    ...common,
    pad: begins.map(() => 0),
    adj: begins.map(() => 0),
  });
  const widths = [[0, 0], [0, 0], ...missing.map((size) => [0, size])];
  const long = missing.some((size) => size > 0)
    ? writer.step('_npi_pad', [whole], { pad_width: widths, mode: 'constant', constant_value: 0 })
    : whole;
  const begin = [null, null, ...begins];
  const end = [null, null, ...begins.map((at, i) => at + result[i]!)];
  writer.node('slice', [long], { begin, end }, node.outputs);
}

const toCore = {
  Convolution: readConvolution,
  Convolution_v1: readConvolution,
  Deconvolution: readDeconvolution,
} satisfies ReadRules;

const fromCore = {
  Conv: writeConv,
  ConvTranspose: writeConvTranspose,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Convolutions and transposed convolutions, both directions. */
export const convolution = { toCore, fromCore };
