import {
  addDim,
  evaluate,
  floorDivDim,
  Graph,
  isFloat,
  isStatic,
  modDim,
  mulDim,
  ops,
  sameDim,
  subDim,
  tensor,
  type Dim,
  type Node,
  type Shape,
  type Tensor,
  type Value,
} from '@drover/core';
import { exactQuotient, gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { zeros } from '../vocabulary/reshape.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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
  const sizeOf = new Map<string, (size: Dim, i: number) => Dim>([
    ['size', (size, i) => (scales[i] === undefined ? stated[i]! : scaled(size, scales[i]!))],
    ['like', (_, i) => node.shape(1)[i + 2]!],
    [
      'odd_scale',
      (size, i) => {
        if (typeof size !== 'number')
          throw node.unsupported('its size depends on one that is not known');
        const scale = scales[i] ?? 1;
        return size % 2 === 0 ? Math.floor(size * scale) : Math.floor((size - 1) * scale) + 1;
      },
    ],
    ['to_even_down', (size) => subDim(size, isOdd(size))],
    ['to_even_up', (size) => addDim(size, isOdd(size))],
    ['to_odd_down', (size) => addDim(subDim(size, 1), isOdd(size))],
    ['to_odd_up', (size) => subDim(addDim(size, 1), isOdd(size))],
  ]).get(mode);
  if (!sizeOf) throw node.unsupported(`its mode is ${mode}`);
  const sizes = spatial.map(sizeOf);
  return resized(node, node.input(0), sizes, {
    mode: 'linear',
    coordinates: node.bool('align_corners') ? 'alignCorners' : 'halfPixel',
  });
};

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
    const like = zeros(writer, [1, 1, ...spatial], x.dtype);
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

const toCore = {
  UpSampling: readUpSampling,
  _contrib_BilinearResize2D: readBilinearResize,
} satisfies ReadRules;

const fromCore = {
  Resize: writeResize,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Images in another size, both directions. */
export const resize = { toCore, fromCore };
