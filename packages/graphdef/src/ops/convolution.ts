import {
  addDim,
  floorDivDim,
  isStatic,
  maxDim,
  mulDim,
  ops,
  subDim,
  type Dim,
  type Shape,
  type Value,
} from '@drover/core';
import { channelAxis, gap, spatialOf, type WriteRules } from '@drover/core/format';
import { ints, text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import {
  around,
  channelsLastOnly,
  layoutOf,
  paddingAttributes,
  padSpatial,
  spatialList,
  windowOf,
  type Window,
} from '../vocabulary/window.js';
import { inGroups, parts, reshaped, spread, transposed, type Filters } from './filters.js';
import { activate, addBias } from './fused.js';

/** The sizes of a filter, all of which must be known. */
function filterShape(node: SourceNode, w: Value): readonly number[] {
  if (w.shape && isStatic(w.shape)) return w.shape;
  throw node.unsupported('the size of its filters is not known');
}

/** Spatial dimensions first, then the given ones: the order of TensorFlow's filters. */
const spatialAxes = (rank: number) => Array.from({ length: rank - 2 }, (_, i) => i);

/** Filters k…, I / groups, O as O, I / groups, k…; the groups follow from the channels of x. */
function readConvolution(node: SourceNode, x: Value, step = node.options): Value {
  const filter = node.input(1);
  const shape = filterShape(node, filter);
  const rank = shape.length;
  const window = windowOf(node, x, shape.slice(0, -2));
  const w = node.transposed(filter, [rank - 1, rank - 2, ...spatialAxes(rank)], 'filter');
  const channels = x.shape?.[channelAxis(window.layout, rank)];
  const groups = typeof channels === 'number' ? channels / shape[rank - 2]! : 1;
  return node.graph.add(ops.Conv, { x, w }, { ...window, groups }, step).y;
}

/** Filters k…, C, M of a depthwise convolution as C * M, 1, k… */
function readDepthwise(node: SourceNode, x: Value, step = node.options): Value {
  const filter = node.input(1);
  const shape = filterShape(node, filter);
  const [rows, columns, channels, multiplier] = shape as [number, number, number, number];
  const w = node.reshaped(
    node.transposed(filter, [2, 3, 0, 1], 'filter'),
    [channels * multiplier, 1, rows, columns],
    'groups',
  );
  return node.graph.add(
    ops.Conv,
    { x, w },
    { ...windowOf(node, x, [rows, columns]), groups: channels },
    step,
  ).y;
}

/** What a fused convolution does after it: a bias, an activation. */
const fused =
  (convolve: typeof readConvolution): ToCore =>
  (node) => {
    node.ignore(
      'epsilon',
      'leakyrelu_alpha',
      'num_args',
      'TArgs',
      'num_host_args',
      'filter_format',
    );
    const names = node.texts('fused_ops').filter((name) => name !== 'NoOp');
    let y = convolve(
      node,
      node.input(0),
      names.length === 0 ? node.options : node.step('convolution'),
    );
    let next = 2;
    names.forEach((name, i) => {
      const isLast = i === names.length - 1;
      if (name === 'BiasAdd')
        y = addBias(
          node,
          y,
          node.input(next++),
          layoutOf(node) === 'channelsLast',
          isLast ? node.options : node.step('bias'),
        );
      else y = activate(node, y, name, () => node.input(next++));
    });
    return y;
  };

/**
 * The gradient of a convolution: `input_sizes` say how large the result is, and the begin pads
 * follow from it.
 */
const readTransposed: ToCore = (node) => {
  const [sizes, filter, x] = [node.input(0), node.input(1), node.input(2)];
  const shape = filterShape(node, filter);
  const rank = shape.length;
  const layout = layoutOf(node);
  const strides = spatialList(node, 'strides', layout, rank);
  const dilations = spatialList(node, 'dilations', layout, rank);
  const given =
    sizes.elements &&
    (sizes.elements.length === rank ? spatialOf(layout, sizes.elements) : sizes.elements);
  const from = x.shape && spatialOf(layout, x.shape);
  if (given?.length !== rank - 2 || !from)
    throw node.unsupported('the size of its result depends on data');
  const padding = node.text('padding');
  const stated = node.ints('explicit_paddings');
  const explicit = spatialOf(
    layout,
    Array.from({ length: rank }, (_, i) => stated[2 * i] ?? 0),
  );
  const begins = given.map((size, i): Dim => {
    if (padding === 'VALID') return 0;
    if (padding === 'EXPLICIT') return explicit[i]!;
    const reach = addDim(
      mulDim(subDim(from[i]!, 1), strides[i]!),
      (shape[i]! - 1) * dilations[i]! + 1,
    );
    return floorDivDim(maxDim(subDim(reach, size), 0), 2);
  });
  if (!begins.every((begin) => typeof begin === 'number'))
    throw node.unsupported('its pads depend on a size that is not known');
  const zeros = strides.map(() => 0);
  const w = node.transposed(filter, [rank - 1, rank - 2, ...spatialAxes(rank)], 'filter');
  const channels = x.shape?.[channelAxis(layout, rank)];
  const groups = typeof channels === 'number' && channels > 0 ? channels / shape[rank - 1]! : 1;
  const attrs = {
    layout,
    strides,
    dilations,
    pads: [...begins, ...zeros],
    outputPadding: zeros,
    groups,
    outputSizes: given,
  };
  return node.graph.add(ops.ConvTranspose, { x, w }, attrs, node.options).y;
};

const toCore = {
  Conv2D: (node) => readConvolution(node, node.input(0)),
  Conv2DBackpropInput: readTransposed,
  Conv3D: (node) => readConvolution(node, node.input(0)),
  Conv3DBackpropInputV2: readTransposed,
  DepthwiseConv2dNative: (node) => readDepthwise(node, node.input(0)),
  FusedDepthwiseConv2dNative: fused(readDepthwise),
  _FusedConv2D: fused(readConvolution),
} satisfies ReadRules;

/** One convolution without groups or with one group for each channel, of rank 4 or 5. */
function convolve(
  writer: GraphWriter,
  x: Operand,
  w: Filters,
  window: Window,
  groups: number,
): Ref {
  const kernel = w.shape.slice(2);
  const rank = kernel.length + 2;
  const { strides, dilations } = window;
  // TF.js takes a stride or a dilation, not both: every stride-th element of the dense result is
  // the same.
  if (strides.some((step) => step > 1) && dilations.some((step) => step > 1)) {
    if (window.padding !== 'explicit')
      throw writer.unwritable('it has strides, dilations and padding by a size that is not known');
    const dense = convolve(writer, x, w, { ...window, strides: strides.map(() => 1) }, groups);
    const zeros = writer.ints(new Array<number>(rank).fill(0));
    const masks = {
      begin_mask: { kind: 'i', value: 2 ** rank - 1 },
      end_mask: { kind: 'i', value: 2 ** rank - 1 },
    } as const;
    return writer.step(
      'StridedSlice',
      [dense, zeros, zeros, writer.ints([1, ...strides, 1])],
      masks,
    );
  }
  const spatial = Array.from({ length: rank - 2 }, (_, i) => i + 2);
  const common = { strides: around(strides), dilations: around(dilations) };
  if (rank === 5) {
    if (groups !== 1)
      throw writer.unwritable('TensorFlow has no depthwise convolution in three dimensions');
    const attributes = {
      ...common,
      padding: text(window.padding === 'sameUpper' ? 'SAME' : 'VALID'),
      data_format: text('NDHWC'),
    };
    return writer.step(
      'Conv3D',
      [padSpatial(writer, x, window.pads, 0), transposed(writer, w, [...spatial, 1, 0]).value],
      attributes,
    );
  }
  const attributes = { ...common, ...paddingAttributes(window), data_format: text('NHWC') };
  if (groups === 1)
    return writer.step('Conv2D', [x, transposed(writer, w, [...spatial, 1, 0]).value], attributes);
  const hwcm = transposed(
    writer,
    reshaped(writer, w, [groups, w.shape[0]! / groups, ...kernel]),
    [2, 3, 0, 1],
  );
  return writer.step('DepthwiseConv2dNative', [x, hwcm.value], attributes);
}

/**
 * An operand and lists with a dimension of 1 before the one that they have: TF.js convolves images.
 */
function asImage(
  writer: GraphWriter,
  x: Operand,
  w: Filters,
  window: Window,
): { x: Operand; w: Filters; window: Window } {
  const one = (list: readonly number[], value: number) => [value, ...list];
  const [begin, end] = [window.pads[0]!, window.pads[1]!];
  return {
    x: writer.step('ExpandDims', [x, writer.int(1)]),
    w: reshaped(writer, w, w.shape.toSpliced(2, 0, 1)),
    window: {
      ...window,
      strides: one(window.strides, 1),
      dilations: one(window.dilations, 1),
      pads: [0, begin, 0, end],
    },
  };
}

/**
 * The last step of a convolution: its bias and, for a sequence, the dimension that it was given
 * goes again.
 */
function finish(
  writer: GraphWriter,
  y: Ref,
  bias: Value | undefined,
  isSequence: boolean,
  output: Value,
): void {
  const squeezed = isSequence ? { squeeze_dims: ints([1]) } : undefined;
  const flat = squeezed ? writer.step('Squeeze', [y], squeezed) : y;
  if (bias) writer.node('BiasAdd', [flat, bias], { data_format: text('NHWC') }, [output]);
  else writer.set(output, flat);
}

const fromCore = {
  Conv: (node, writer) => {
    const { x: input, w: weight, bias } = node.operands;
    const { layout, groups } = node.attrs;
    if (layout !== 'channelsLast') return channelsLastOnly;
    if (!weight.shape || !isStatic(weight.shape))
      return gap('the size of its filters is not known');
    if (node.attrs.padding === 'sameLower') return gap('TensorFlow puts the odd pad at the end');
    const rank = weight.shape.length;
    if (rank < 3 || rank > 5) return gap(`TensorFlow has no convolution in ${rank - 2} dimensions`);
    const isSequence = rank === 3;
    const given: Filters = { value: weight, shape: weight.shape };
    const { x, w, window } = isSequence
      ? asImage(writer, input, given, node.attrs)
      : { x: input, w: given, window: node.attrs as Window };
    if (groups === 1 || (weight.shape[1] === 1 && rank < 5))
      return finish(
        writer,
        convolve(writer, x, w, window, groups),
        bias,
        isSequence,
        node.outputs[0]!,
      );
    const axis = isSequence ? 3 : rank - 1;
    const inputs = parts(writer, x, axis, groups);
    const made = inGroups(writer, w, groups).map((filters, i) =>
      convolve(writer, inputs[i]!, filters, window, 1),
    );
    return finish(writer, writer.concat(made, axis), bias, isSequence, node.outputs[0]!);
  },
  ConvTranspose: (node, writer) => {
    const { x: input, w: weight, bias } = node.operands;
    const { layout, groups, outputSizes, strides, dilations, pads, outputPadding } = node.attrs;
    const output = node.outputs[0]!;
    if (layout !== 'channelsLast') return channelsLastOnly;
    if (!weight.shape || !isStatic(weight.shape) || !input.shape || !output.shape)
      return gap('the size of its filters is not known');
    const rank = weight.shape.length;
    if (rank !== 4 && rank !== 3)
      return gap(`TensorFlow.js has no transposed convolution in ${rank - 2} dimensions`);
    const dense = spread(writer, { value: weight, shape: weight.shape }, dilations);
    const kernel = dense.shape.slice(2);
    const from = spatialOf(layout, input.shape);
    const to = spatialOf(layout, output.shape);
    const half = strides.length;
    const ends = to.map((size, i): Dim => {
      if (!outputSizes && !node.operands.outputSizes) return pads[half + i]! - outputPadding[i]!;
      return subDim(
        subDim(addDim(mulDim(subDim(from[i]!, 1), strides[i]!), kernel[i]!), pads[i]!),
        size,
      );
    });
    if (!ends.every((end) => typeof end === 'number'))
      return gap('the size of its result depends on sizes that are not known');
    // Negative end pads are rows that only some windows would have reached: fewer than a stride are
    // part of the operator, the rest is zeros.
    const beyond = ends.map((end, i) => Math.max(-end - (strides[i]! - 1), 0));
    const isSequence = rank === 3;
    const image = isSequence
      ? asImage(writer, input, dense, { layout, strides, dilations, padding: 'explicit', pads })
      : undefined;
    const sizes = to.map((size, i) => subDim(size, beyond[i]!));
    const trimmed = [...pads.slice(0, half), ...ends.map((end) => Math.max(end, 0))];
    const window = {
      padding: 'explicit' as const,
      pads: isSequence ? [0, trimmed[0]!, 0, trimmed[1]!] : trimmed,
    };
    const attributes = {
      strides: around(image?.window.strides ?? strides),
      dilations: ints([1, 1, 1, 1]),
      data_format: text('NHWC'),
      ...paddingAttributes(window),
    };
    const w = image?.w ?? dense;
    const channelsOut = weight.shape[1]!;
    const shape: Shape = [output.shape[0]!, ...(isSequence ? [1] : []), ...sizes, channelsOut];
    const one = (x: Operand, filter: Filters): Ref =>
      writer.step(
        'Conv2DBackpropInput',
        [writer.dims(shape), transposed(writer, filter, [2, 3, 1, 0]).value, x],
        attributes,
        writer.dtype(x),
      );
    const x = image?.x ?? input;
    const grouped = (): Ref => {
      const inputs = parts(writer, x, 3, groups);
      return writer.concat(
        inGroups(writer, w, groups).map((filters, i) => one(inputs[i]!, filters)),
        3,
      );
    };
    const made = groups === 1 ? one(x, w) : grouped();
    const whole = padSpatial(
      writer,
      made,
      isSequence ? [0, 0, 0, beyond[0]!] : [0, 0, ...beyond],
      0,
    );
    return finish(writer, whole, bias, isSequence, output);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Convolutions and their transposes, both directions. */
export const convolution = { toCore, fromCore };
