import {
  evaluate,
  exactQuotient,
  gap,
  Graph,
  isFloat,
  isStatic,
  mulDim,
  ops,
  sameDim,
  samePadding,
  sizeOf,
  tensor,
  Weight,
  type Gap,
  type Node,
  type Padding,
  type Tensor,
  type Value,
  type WriteRules,
} from '@drover/core';
import type { GraphWriter, Operand, Ref } from '../export/graph-writer.js';

/** What windows state about themselves. */
interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

/**
 * Pads of each spatial axis, all begins and then all ends; undefined while they depend on sizes
 * that are not known.
 */
function explicitPads(
  x: Value,
  kernel: readonly number[],
  { padding, pads, strides, dilations }: Window,
): readonly number[] | undefined {
  if (padding === 'explicit') return pads;
  const amounts = kernel.map(
    (size, i) =>
      x.shape &&
      samePadding(
        x.shape[i + 2]!,
        size,
        strides[i]!,
        dilations[i]!,
        padding === 'sameUpper' ? 'upper' : 'lower',
      ),
  );
  const known = amounts.filter((pair) => pair !== undefined);
  return known.length < kernel.length
    ? undefined
    : [...known.map(([begin]) => begin), ...known.map(([, end]) => end)];
}

/**
 * The pads as MXNet states them, one number for both ends of an axis, after what does not fit that
 * was put around the operand.
 */
function padded(
  writer: GraphWriter,
  x: Value,
  pads: readonly number[],
  value: number,
): { x: Operand; pad: readonly number[] } {
  const rank = pads.length / 2;
  const [begins, ends] = [pads.slice(0, rank), pads.slice(rank)];
  if (begins.every((begin, i) => begin === ends[i])) return { x, pad: begins };
  const widths = [[0, 0], [0, 0], ...begins.map((begin, i) => [begin, ends[i]!])];
  const around =
    rank === 1
      ? writer.step('_npi_pad', [x], { pad_width: widths, mode: 'constant', constant_value: value })
      : writer.step('Pad', [x], {
          mode: 'constant',
          pad_width: widths.flat(),
          constant_value: value,
        });
  return { x: around, pad: begins.map(() => 0) };
}

const openPads = gap(
  'its padding follows from a size that is not known before the model runs, and MXNet states pads as numbers',
);

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

interface Pool extends Window {
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** How a pool is written: with pads at both ends, or over an operand with pads around it. */
interface PoolPlan {
  readonly x: Operand;
  readonly pad: readonly number[];
  readonly convention: 'valid' | 'full';
}

/**
 * MXNet's `full` convention has the same windows as core's `ceil` where none can start behind the
 * input; else the end pads are made as long as the windows need.
 */
function planPool(
  node: Node,
  writer: GraphWriter,
  { kernel, strides, dilations, ceil, ...window }: Pool,
  value: number,
): PoolPlan | Gap {
  const [x, y] = [node.inputs[0]!, node.outputs[0]!];
  if (dilations.some((dilation) => dilation !== 1))
    return gap('MXNet does not dilate the windows of pools');
  if (kernel.length > 3) return gap('MXNet pools over at most three axes');
  const pads = explicitPads(x, kernel, { strides, dilations, ...window });
  if (!pads) return openPads;
  const rank = kernel.length;
  const isEven = pads.slice(0, rank).every((pad, i) => pad === pads[i + rank]);
  if (!ceil) return { ...padded(writer, x, pads, value), convention: 'valid' };
  if (isEven && pads.slice(0, rank).every((pad, i) => pad <= kernel[i]! - strides[i]!))
    return { x, pad: pads.slice(0, rank), convention: 'full' };
  const [from, to] = [x.shape?.slice(2), y.shape?.slice(2)];
  if (!from || !to || !isStatic(from) || !isStatic(to))
    return gap(
      'how many windows it has follows from a size that is not known before the model runs',
    );
  const ends = to.map((count, i) =>
    Math.max(
      pads[i + rank]!,
      ((count as number) - 1) * strides[i]! + kernel[i]! - (from[i] as number) - pads[i]!,
    ),
  );
  return { ...padded(writer, x, [...pads.slice(0, rank), ...ends], value), convention: 'valid' };
}

const isGap = (plan: object): plan is Gap => 'gap' in plan;

function writeMaxPool(node: Node<typeof ops.MaxPool>, writer: GraphWriter): Gap | void {
  if (!isFloat(node.operands.x.dtype)) return gap('MXNet pools floats only');
  const plan = planPool(node as Node, writer, node.attrs, -Infinity);
  if (isGap(plan)) return plan;
  const { kernel, strides } = node.attrs;
  writer.node(
    'Pooling',
    [plan.x],
    {
      pool_type: 'max',
      kernel,
      stride: strides,
      pad: plan.pad,
      pooling_convention: plan.convention,
    },
    node.outputs,
  );
}

function writeAveragePool(node: Node<typeof ops.AveragePool>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { kernel, strides, countIncludePad } = node.attrs;
  const pads = explicitPads(x, kernel, node.attrs);
  if (!pads) return openPads;
  const plan = planPool(node as Node, writer, node.attrs, 0);
  if (isGap(plan)) return plan;
  const isOwn = plan.x === x;
  const attributes = {
    pool_type: 'avg',
    kernel,
    stride: strides,
    pad: plan.pad,
    pooling_convention: plan.convention,
  };
  if (isOwn || (countIncludePad && !node.attrs.ceil))
    return writer.node(
      'Pooling',
      [plan.x],
      { ...attributes, count_include_pad: countIncludePad || !isOwn },
      node.outputs,
    );
  // The padding lies in the operand now: every window counts all its taps, and a factor corrects
  // the divisor.
  const [from, to] = [x.shape?.slice(2), node.outputs[0]!.shape?.slice(2)];
  if (!from || !to || !isStatic(from) || !isStatic(to))
    return gap(
      'how many elements its windows hold follows from a size that is not known before the model runs',
    );
  const factors = windowFactors(kernel, strides, pads, countIncludePad, from, to);
  const mean = writer.step('Pooling', [plan.x], { ...attributes, count_include_pad: true });
  writer.node(
    'broadcast_mul',
    [mean, writer.literal(x.dtype, [1, 1, ...to], factors)],
    {},
    node.outputs,
  );
}

/**
 * For each window the number of its taps over the number of those that count: the ones in the
 * input, or in the input and its padding.
 */
function windowFactors(
  kernel: readonly number[],
  strides: readonly number[],
  pads: readonly number[],
  includesPads: boolean,
  from: readonly number[],
  to: readonly number[],
): readonly number[] {
  const rank = kernel.length;
  return Array.from({ length: sizeOf(to) }, (_, index) => {
    let rest = index;
    let factor = 1;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const start = (rest % to[axis]!) * strides[axis]!;
      rest = Math.floor(rest / to[axis]!);
      const low = includesPads ? 0 : pads[axis]!;
      const high = pads[axis]! + from[axis]! + (includesPads ? pads[axis + rank]! : 0);
      const count = Math.min(start + kernel[axis]!, high) - Math.max(start, low);
      factor *= count > 0 ? kernel[axis]! / count : 1;
    }
    return factor;
  });
}

function writeLpPool(node: Node<typeof ops.LpPool>, writer: GraphWriter): Gap | void {
  const plan = planPool(node as Node, writer, { ...node.attrs, ceil: node.attrs.ceil }, 0);
  if (isGap(plan)) return plan;
  const { kernel, strides, p } = node.attrs;
  if (![1, 2, 3].includes(p)) return gap(`MXNet pools by the powers 1, 2 and 3, not ${p}`);
  // MXNet keeps the sign of odd powers.
  const magnitude = p % 2 === 0 ? plan.x : writer.step('abs', [plan.x]);
  writer.node(
    'Pooling',
    [magnitude],
    {
      pool_type: 'lp',
      p_value: p,
      kernel,
      stride: strides,
      pad: plan.pad,
      pooling_convention: plan.convention,
    },
    node.outputs,
  );
}

/**
 * What a resampling makes of one axis of `from` elements, applied to a tensor over that axis:
 * weights of the identity, or the numbers of the elements that nearest takes.
 */
async function alongAxis(
  node: Node<typeof ops.Resize>,
  index: number,
  x: Tensor,
  to: number,
): Promise<Tensor> {
  const graph = new Graph();
  const { scales } = node.attrs;
  const { y } = graph.add(
    ops.Resize,
    { x: graph.input('x', x.dtype, x.shape) },
    { ...node.attrs, axes: [0], sizes: [to], scales: scales && [scales[index]!] },
  );
  graph.output('y', y);
  return (await evaluate(graph, [x])).get('y')!;
}

/** One axis after the other: nearest looks elements up, the others multiply with a matrix. */
function writeByAxis(
  node: Node<typeof ops.Resize>,
  writer: GraphWriter,
  shape: readonly number[],
  sizes: readonly number[],
): void {
  const { x } = node.operands;
  const { axes, mode } = node.attrs;
  const rank = shape.length;
  let ref = writer.ref(x);
  axes.forEach((axis, i) => {
    const [from, to] = [shape[axis]!, sizes[i]!];
    if (from === to && node.attrs.scales === null) return;
    if (mode === 'nearest') {
      const numbers = tensor(
        'int64',
        [from],
        Array.from({ length: from }, (_, at) => at),
      );
      const places = writer.made(`${node.name}_indices`, 'int64', [to], () =>
        alongAxis(node, i, numbers, to),
      );
      ref = writer.step('take', [ref, places], { axis });
      return;
    }
    const eye = tensor(
      'float64',
      [from, from],
      Array.from({ length: from * from }, (_, at) => Number(Math.floor(at / from) === at % from)),
    );
    // Weights [to, from] stand as those of a fully connected layer over the axis, which has to be
    // the last for it.
    const weights = writer.made(`${node.name}_weight`, x.dtype, [to, from], () =>
      alongAxis(node, i, eye, to),
    );
    const perm = Array.from({ length: rank }, (_, at) => at);
    [perm[axis], perm[rank - 1]] = [rank - 1, axis];
    const isLast = axis === rank - 1;
    const moved = isLast ? ref : writer.step('transpose', [ref], { axes: perm });
    const product = writer.step('FullyConnected', [moved, weights], {
      num_hidden: to,
      no_bias: true,
      flatten: false,
    });
    ref = isLast ? product : writer.step('transpose', [product], { axes: perm });
  });
  writer.bind(node.outputs[0]!, ref);
}

function writeResize(node: Node<typeof ops.Resize>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { axes, mode, coordinates, antialias, sizes, scales, nearest } = node.attrs;
  if (!sizes) return gap('its sizes depend on data, and MXNet allocates results before it runs');
  if (!x.shape) return gap('the rank of its operand is not known');
  const from = x.shape;
  // Batches and channels may be named too, with the size they have.
  const turned = axes
    .map((axis, i) => ({ axis, size: sizes[i]!, scale: scales?.[i] ?? 1 }))
    .filter(({ axis, size, scale }) => axis > 1 || !sameDim(size, from[axis]!) || scale !== 1);
  const spatial = [2, 3].flatMap((axis) =>
    turned.filter((each) => each.axis === axis).map(({ size }) => size),
  );
  const isImage =
    from.length === 4 && turned.length === 2 && spatial.length === 2 && isFloat(x.dtype);
  const factors = turned.map(({ axis, size }) => exactQuotient(size, from[axis]!));
  const factor = factors[0];
  // An integer factor sends nearest to the element below in all of these ways.
  const isRepeating =
    mode === 'nearest' &&
    ((coordinates === 'asymmetric' && nearest === 'floor') ||
      (/^(halfPixel|pytorchHalfPixel)$/.test(coordinates) && /^round/.test(nearest)) ||
      (coordinates === 'tfHalfPixelNearest' && nearest === 'floor'));
  if (
    isImage &&
    isRepeating &&
    typeof factor === 'number' &&
    factors.every((each) => each === factor)
  ) {
    return writer.node(
      'UpSampling',
      [x],
      { scale: factor, sample_type: 'nearest', num_args: 1 },
      node.outputs,
    );
  }
  const isPlain =
    scales === null ||
    axes.every((axis, i) => sameDim(mulDim(x.shape![axis]!, scales[i]!), sizes[i]!));
  const isBilinear =
    mode === 'linear' &&
    !antialias &&
    isPlain &&
    (coordinates === 'alignCorners' ||
      coordinates === 'halfPixel' ||
      (coordinates === 'pytorchHalfPixel' &&
        sizes.every((size) => typeof size === 'number' && size !== 1)));
  if (isImage && isBilinear) {
    const align_corners = coordinates === 'alignCorners';
    if (isStatic(spatial)) {
      const [height, width] = spatial as readonly number[];
      return writer.node(
        '_contrib_BilinearResize2D',
        [x],
        { height, width, align_corners },
        node.outputs,
      );
    }
    const like = writer.zeros([1, 1, ...spatial], x.dtype);
    if (like)
      return writer.node(
        '_contrib_BilinearResize2D',
        [x, like],
        { mode: 'like', align_corners },
        node.outputs,
      );
  }
  if (!isStatic(sizes))
    return gap('its sizes are not known before the model runs, and MXNet takes them as attributes');
  if (axes.some((axis) => typeof from[axis] !== 'number'))
    return gap('its weights follow from a size that is not known before the model runs');
  writeByAxis(
    node,
    writer,
    from.map((dim) => (typeof dim === 'number' ? dim : 0)),
    sizes,
  );
}

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

/** Writing of operators over images. */
export const writeSpatial = {
  AveragePool: writeAveragePool,
  Conv: writeConv,
  ConvTranspose: writeConvTranspose,
  DepthToSpace: (node, writer) =>
    writer.node(
      'depth_to_space',
      [node.operands.x],
      { block_size: node.attrs.blockSize },
      node.outputs,
    ),
  GridSample: writeGridSample,
  LpPool: writeLpPool,
  MaxPool: writeMaxPool,
  Resize: writeResize,
  SpaceToDepth: (node, writer) =>
    writer.node(
      'space_to_depth',
      [node.operands.x],
      { block_size: node.attrs.blockSize },
      node.outputs,
    ),
} satisfies Partial<WriteRules<GraphWriter>>;
