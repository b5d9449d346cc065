import {
  addDim,
  floorDivDim,
  modDim,
  mulDim,
  ops,
  subDim,
  type Dim,
  type Layout,
  type Shape,
  type Value,
} from '@drover/core';
import { binary, scalarOf } from '../import/build.js';
import type { ReadRules, ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

/** The layout that a node states; channels first unless it does. */
function layoutOf(node: SourceNode): Layout {
  const layout = node.text('layout');
  if (layout !== undefined && !/^N(C[DHW]+|[DHW]+C)$/.test(layout))
    throw node.unsupported(`its layout is ${layout}`);
  return layout?.endsWith('C') ? 'channelsLast' : 'channelsFirst';
}

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
  const filtersOfGroup = node.int('num_filter') / attrs.groups;
  const w = node.restated(1, [undefined, filtersOfGroup, ...kernel]);
  const bias = node.bool('no_bias') ? undefined : node.input(2);
  return node.graph.add(ops.ConvTranspose, { x: node.input(0), w, bias }, attrs, node.options).y;
};

const globalOps = { max: ops.ReduceMax, avg: ops.ReduceMean, sum: ops.ReduceSum } as const;

function globalPool(node: SourceNode, type: string, layout: Layout): Value {
  const rank = node.shape(0).length;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + (layout === 'channelsFirst' ? 2 : 1));
  const op = globalOps[type as keyof typeof globalOps];
  if (!op) throw node.unsupported(`it pools everything by ${type}`);
  return node.graph.add(op, { x: node.input(0) }, { axes, keepdims: true }, node.options).y;
}

/**
 * Pads and rounding of a pool under the `full` convention: 1 + ceil((x + 2p - k) / s) windows, also
 * those that start behind the input, which core drops. They occur only where p > k - s; then the
 * pad at the end is made so long that the windows fit.
 */
function fullPads(
  node: SourceNode,
  spatial: Shape,
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
): { pads: readonly number[]; ceil: boolean } {
  if (pads.every((pad, i) => pad <= kernel[i]! - strides[i]!))
    return { pads: [...pads, ...pads], ceil: true };
  const ends = spatial.map((size, i) => {
    if (typeof size !== 'number')
      throw node.unsupported('how many windows start behind the input is not known');
    const count = 1 + Math.ceil((size + 2 * pads[i]! - kernel[i]!) / strides[i]!);
    return Math.max(pads[i]!, (count - 1) * strides[i]! + kernel[i]! - size - pads[i]!);
  });
  return { pads: [...pads, ...ends], ceil: false };
}

const readPooling: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('pool_type') ?? 'max';
  const isGlobal = node.bool('global_pool');
  const layout = node.type === 'Pooling' ? layoutOf(node) : 'channelsFirst';
  const convention = node.text('pooling_convention');
  const kernel = node.ints('kernel') ?? [];
  const rank = kernel.length;
  if (isGlobal) {
    node.ignore('stride', 'pad', 'count_include_pad', 'p_value');
    return globalPool(node, type, layout);
  }
  const strides = node.spatial('stride', rank, 1);
  const stated = node.spatial('pad', rank, 0);
  const includes = node.type !== 'Pooling' || node.attr('count_include_pad') !== false;
  if (convention === 'same')
    throw node.unsupported('its pooling_convention is same, which MXNet does not run reliably');
  const isFull = convention === 'full';
  const shape = node.shape(0);
  const spatial = layout === 'channelsFirst' ? shape.slice(2) : shape.slice(1, -1);
  const { pads, ceil } = isFull
    ? fullPads(node, spatial, kernel, strides, stated)
    : { pads: [...stated, ...stated], ceil: false };
  const attrs = {
    layout,
    kernel,
    strides,
    dilations: kernel.map(() => 1),
    padding: 'explicit' as const,
    pads,
    ceil,
  };
  if (type === 'max') return node.graph.add(ops.MaxPool, { x }, attrs, node.options).y;
  const reachesFar = isFull && !ceil;
  if (type === 'avg') {
    if (reachesFar && includes)
      throw node.unsupported('windows that start behind the input count its padding only in part');
    return node.graph.add(
      ops.AveragePool,
      { x },
      { ...attrs, countIncludePad: includes },
      node.options,
    ).y;
  }
  if (isFull) throw node.unsupported(`it pools by ${type} under the full convention`);
  if (type === 'sum') {
    const mean = node.graph.add(
      ops.AveragePool,
      { x },
      { ...attrs, countIncludePad: true },
      node.step('mean'),
    ).y;
    return binary(
      node,
      ops.Mul,
      mean,
      scalarOf(
        node,
        x.dtype,
        kernel.reduce((a, b) => a * b, 1),
      ),
    );
  }
  const p = node.maybe('p_value');
  if (type !== 'lp' || p === undefined) throw node.unsupported(`it pools by ${type}`);
  if (p % 2 !== 0) throw node.unsupported('an odd power keeps signs in MXNet');
  return node.graph.add(ops.LpPool, { x }, { ...attrs, p }, node.options).y;
};

const resized = (
  node: SourceNode,
  x: Value,
  sizes: Shape,
  how: { mode: 'nearest' | 'linear'; coordinates: 'asymmetric' | 'alignCorners' | 'halfPixel' },
  step?: string,
): Value =>
  node.graph.add(
    ops.Resize,
    { x },
    {
      axes: [2, 3],
      ...how,
      nearest: 'floor',
      cubicCoefficient: -0.75,
      excludeOutside: false,
      antialias: false,
      sizes,
      scales: null,
    },
    step === undefined ? node.options : node.step(step),
  ).y;

/**
 * Nearest: several inputs are brought to the size of the first. Bilinear: a transposed convolution
 * of each channel.
 */
const readUpSampling: ToCore = (node) => {
  const scale = node.int('scale');
  node.ignore('num_filter');
  if (node.text('sample_type') === 'bilinear') {
    node.ignore('multi_input_mode');
    const kernel = 2 * scale - (scale % 2);
    const pad = Math.ceil((scale - 1) / 2);
    const channels = node.shape(0)[1];
    if (typeof channels !== 'number') throw node.unsupported('the number of channels is not known');
    if (node.shape(1)[2] !== kernel)
      throw node.unsupported('its weight is not of the size that the scale asks for');
    const attrs = {
      layout: 'channelsFirst' as const,
      strides: [scale, scale],
      dilations: [1, 1],
      pads: [pad, pad, pad, pad],
      outputPadding: [0, 0],
      groups: channels,
      outputSizes: null,
    };
    return node.graph.add(
      ops.ConvTranspose,
      { x: node.input(0), w: node.input(1) },
      attrs,
      node.options,
    ).y;
  }
  const sizes = node
    .shape(0)
    .slice(2)
    .map((size) => mulDim(size, scale));
  const isOne = node.inputCount === 1;
  const mode = node.text('multi_input_mode');
  const inputs = node
    .inputs()
    .map((x, i) =>
      resized(
        node,
        x,
        sizes,
        { mode: 'nearest', coordinates: 'asymmetric' },
        isOne ? undefined : `part${i}`,
      ),
    );
  if (isOne) return inputs[0]!;
  if (mode === 'concat') return node.graph.add(ops.Concat, { inputs }, { axis: 1 }, node.options).y;
  return inputs
    .slice(1)
    .reduce(
      (sum, x, i) => binary(node, ops.Add, sum, x, i === inputs.length - 2 ? undefined : `sum${i}`),
      inputs[0]!,
    );
};

const readBilinearResize: ToCore = (node) => {
  const spatial = node.shape(0).slice(2);
  const mode = node.text('mode') ?? 'size';
  const scales = [node.maybe('scale_height'), node.maybe('scale_width')];
  const stated = [node.int('height'), node.int('width')];
  const isOdd = (size: Dim) => modDim(size, 2);
  const scaled = (size: Dim, scale: number): Dim => {
    if (typeof size === 'number') return Math.floor(size * scale);
    if (Number.isInteger(scale)) return mulDim(size, scale);
    if (Number.isInteger(1 / scale)) return floorDivDim(size, 1 / scale);
    throw node.unsupported('its size depends on one that is not known');
  };
  const sizeOf: Record<string, (size: Dim, i: number) => Dim> = {
    size: (size, i) => (scales[i] === undefined ? stated[i]! : scaled(size, scales[i]!)),
    like: (_, i) => node.shape(1)[i + 2]!,
    odd_scale: (size, i) => {
      if (typeof size !== 'number')
        throw node.unsupported('its size depends on one that is not known');
      const scale = scales[i] ?? 1;
      return size % 2 === 0 ? Math.floor(size * scale) : Math.floor((size - 1) * scale) + 1;
    },
    to_even_down: (size) => subDim(size, isOdd(size)),
    to_even_up: (size) => addDim(size, isOdd(size)),
    to_odd_down: (size) => addDim(subDim(size, 1), isOdd(size)),
    to_odd_up: (size) => subDim(addDim(size, 1), isOdd(size)),
  };
  const sizes = spatial.map((size, i) => sizeOf[mode]!(size, i));
  return resized(node, node.input(0), sizes, {
    mode: 'linear',
    coordinates: node.bool('align_corners') ? 'alignCorners' : 'halfPixel',
  });
};

/**
 * Means of stretches that begin at floor(i * n / m) and end before ceil((i + 1) * n / m): one
 * matrix for each axis.
 */
const readAdaptivePooling: ToCore = (node) => {
  const x = node.input(0);
  const stated = node.ints('output_size') ?? [];
  const sizes = stated.length === 2 ? stated : new Array<number>(2).fill(stated[0] ?? 1);
  if (sizes.every((size) => size === 1))
    return node.graph.add(ops.ReduceMean, { x }, { axes: [2, 3], keepdims: true }, node.options).y;
  const spatial = node.shape(0).slice(2);
  const matrix = (n: Dim, m: number, isLeft: boolean): Value => {
    if (typeof n !== 'number')
      throw node.unsupported('its windows depend on a size that is not known');
    const rows = Array.from({ length: m }, (_, i) => {
      const [from, to] = [Math.floor((i * n) / m), Math.ceil(((i + 1) * n) / m)];
      return Array.from({ length: n }, (_, at) => (at >= from && at < to ? 1 / (to - from) : 0));
    });
    const values = isLeft
      ? rows.flat()
      : Array.from({ length: n }, (_, at) => rows.map((row) => row[at]!)).flat();
    return node.graph.literal(x.dtype, isLeft ? [m, n] : [n, m], values);
  };
  const high = node.graph.add(
    ops.MatMul,
    { a: matrix(spatial[0]!, sizes[0]!, true), b: x },
    {},
    node.step('rows'),
  ).y;
  return node.graph.add(
    ops.MatMul,
    { a: high, b: matrix(spatial[1]!, sizes[1]!, false) },
    {},
    node.options,
  ).y;
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

const toCore = {
  BilinearSampler: readBilinearSampler,
  Convolution: readConvolution,
  Convolution_v1: readConvolution,
  Deconvolution: readDeconvolution,
  Pooling: readPooling,
  Pooling_v1: readPooling,
  UpSampling: readUpSampling,
  _contrib_AdaptiveAvgPooling2D: readAdaptivePooling,
  _contrib_BilinearResize2D: readBilinearResize,
} satisfies ReadRules;

/** Operators over images, both directions. */
export const spatial = { toCore };
