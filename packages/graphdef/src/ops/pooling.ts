import {
  addDim,
  ceilDivDim,
  floorDivDim,
  isStatic,
  maxDim,
  mulDim,
  ops,
  subDim,
  type Dim,
  type Node,
  type Shape,
} from '@drover/core';
import { gap, samePadding, spatialOf, type WriteRules } from '@drover/core/format';
import { ints, text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { channelsLastOnly, layoutOf, padSpatial, windowOf } from '../vocabulary/window.js';

function kernelOf(node: SourceNode): readonly number[] {
  const sizes = node.ints('ksize');
  const kernel = spatialOf(layoutOf(node), sizes);
  if (sizes.length < 3 || kernel.reduce((a, b) => a * b, 1) !== sizes.reduce((a, b) => a * b, 1))
    throw node.unsupported('its windows go over batch or channels');
  return kernel;
}

const readMaxPool: ToCore = (node) => {
  const x = node.input(0);
  const kernel = kernelOf(node);
  return node.graph.add(
    ops.MaxPool,
    { x },
    { kernel, ...windowOf(node, x, kernel), ceil: false },
    node.options,
  ).y;
};

/** Padding never counts in a mean. */
const readAvgPool: ToCore = (node) => {
  const x = node.input(0);
  const kernel = kernelOf(node);
  return node.graph.add(
    ops.AveragePool,
    { x },
    { kernel, ...windowOf(node, x, kernel), ceil: false, countIncludePad: false },
    node.options,
  ).y;
};

const toCore = {
  AvgPool: readAvgPool,
  AvgPool3D: readAvgPool,
  MaxPool: readMaxPool,
  MaxPool3D: readMaxPool,
} satisfies ReadRules;

type Pool = Node<typeof ops.MaxPool> | Node<typeof ops.AveragePool> | Node<typeof ops.LpPool>;

/** A pool over values of rank 4 or 5, its windows and where they pad. */
interface Plan {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The pool itself pads, so that the result has ceil(size / stride) elements. */
  readonly isSame: boolean;
  /** Pads to be added before, all begins and then all ends. */
  readonly pads: Shape;
  /** Elements behind the end pads that `ceil` lets windows reach. */
  readonly beyond: Shape;
}

const zeros = (count: number) => new Array<number>(count).fill(0);

/** Pads, begin and end, that leave ceil(size / stride) windows. */
function samePads(
  size: Dim,
  reach: number,
  stride: number,
  odd: 'upper' | 'lower',
): readonly [Dim, Dim] {
  const total = maxDim(
    subDim(addDim(mulDim(subDim(ceilDivDim(size, stride), 1), stride), reach), size),
    0,
  );
  const half = floorDivDim(total, 2);
  return odd === 'upper' ? [half, subDim(total, half)] : [subDim(total, half), half];
}

/**
 * Elements behind the padded end that the last window reaches over where windows are rounded up.
 * Throws `core/not-convertible`.
 */
function excessOf(
  writer: GraphWriter,
  size: Dim,
  padded: Dim,
  end: number,
  reach: number,
  stride: number,
  count: Dim,
): Dim {
  // A last window that cannot start behind the input is there for every size, and a stride less one
  // element is enough for it.
  if (typeof size !== 'number' && stride + end <= reach) return stride - 1;
  const excess = subDim(addDim(mulDim(subDim(count, 1), stride), reach), padded);
  if (reach <= end) throw writer.unwritable('its windows of padding alone are left out');
  return maxDim(excess, 0);
}

/**
 * Where the windows of a pool lie. `mayPad`: TensorFlow's own padding means the same as that of
 * core. Throws `core/not-convertible`.
 */
function planOf(
  writer: GraphWriter,
  node: Pool,
  input: Shape,
  output: Shape,
  mayPad: boolean,
): Plan {
  const { kernel, strides, dilations, padding, pads: stated, ceil } = node.attrs;
  const count = kernel.length;
  const common = { kernel, strides, dilations };
  const reach = kernel.map((size, i) => (size - 1) * dilations[i]! + 1);
  const same = { ...common, isSame: true, pads: zeros(2 * count), beyond: zeros(count) };
  const mayBeSame = mayPad && !isDilated(common);
  if (padding === 'sameUpper' && mayBeSame) return same;
  if (padding !== 'explicit') {
    const amounts = reach.map((size, i) =>
      samePads(input[i]!, size, strides[i]!, padding === 'sameUpper' ? 'upper' : 'lower'),
    );
    return {
      ...common,
      isSame: false,
      pads: [...amounts.map(([begin]) => begin), ...amounts.map(([, end]) => end)],
      beyond: zeros(count),
    };
  }
  const beyond = reach.map((size, i): Dim => {
    if (!ceil) return 0;
    const padded = addDim(input[i]!, stated[i]! + stated[count + i]!);
    return excessOf(writer, input[i]!, padded, stated[count + i]!, size, strides[i]!, output[i]!);
  });
  const isSame =
    mayBeSame &&
    beyond.every((each) => each === 0) &&
    stated.some((pad) => pad > 0) &&
    kernel.every((size, i) => {
      const amounts = samePadding(input[i]!, size, strides[i]!, dilations[i]!, 'upper');
      return amounts !== undefined && amounts[0] === stated[i] && amounts[1] === stated[count + i];
    });
  return isSame ? same : { ...common, isSame, pads: stated, beyond };
}

/** Pads in front and behind, and what lies beyond the end. */
const allPads = ({ pads, beyond }: Plan): Shape =>
  pads.map((pad, i) => (i < beyond.length ? pad : addDim(pad, beyond[i - beyond.length]!)));

const around = (spatial: readonly number[]) => ints([1, ...spatial, 1]);

/** One pool of TensorFlow over a padded value. */
function pool(
  writer: GraphWriter,
  op: 'MaxPool' | 'AvgPool',
  x: Operand,
  { kernel, strides, isSame }: Plan,
): Ref {
  const isVolume = kernel.length === 3;
  return writer.step(`${op}${isVolume ? '3D' : ''}`, [x], {
    ksize: around(kernel),
    strides: around(strides),
    padding: text(isSame ? 'SAME' : 'VALID'),
    data_format: text(isVolume ? 'NDHWC' : 'NHWC'),
  });
}

/** Most taps of a dilated window that are written one by one. */
const maxTaps = 64;

/** A dilated pool: every tap is a slice of its own. `combine` joins two taps. */
function dilated(
  writer: GraphWriter,
  x: Operand,
  padded: Shape,
  { kernel, strides, dilations }: Plan,
  combine: (a: Ref, b: Ref) => Ref,
): Ref {
  const sizes = spatialOf('channelsLast', padded);
  const counts = kernel.map((size, i) =>
    addDim(floorDivDim(subDim(sizes[i]!, (size - 1) * dilations[i]! + 1), strides[i]!), 1),
  );
  const taps = kernel.reduce<readonly (readonly number[])[]>(
    (all, size) => all.flatMap((each) => Array.from({ length: size }, (_, i) => [...each, i])),
    [[]],
  );
  if (taps.length > maxTaps || kernel.length !== 2)
    throw writer.unwritable('its dilated windows are too large');
  const slices = taps.map((tap) => {
    const starts = tap.map((at, i) => at * dilations[i]!);
    const ends = counts.map((count, i) =>
      addDim(mulDim(subDim(count, 1), strides[i]!), starts[i]! + 1),
    );
    const masks = {
      begin_mask: { kind: 'i', value: 0b1001 },
      end_mask: { kind: 'i', value: 0b1001 },
    } as const;
    return writer.step(
      'StridedSlice',
      [
        x,
        writer.ints([0, ...starts, 0]),
        writer.dims([0, ...ends, 0]),
        writer.ints([1, ...strides, 1]),
      ],
      masks,
    );
  });
  return slices.reduce(combine);
}

/** A value with the two spatial dimensions that pools want: a sequence is an image of one row. */
function asImage(plan: Plan): Plan {
  const [begin, end] = [plan.pads[0]!, plan.pads[1]!];
  return {
    ...plan,
    kernel: [1, ...plan.kernel],
    strides: [1, ...plan.strides],
    dilations: [1, ...plan.dilations],
    pads: [0, begin, 0, end],
    beyond: [0, ...plan.beyond],
  };
}

/**
 * Applies a pool to an operand of rank 3 to 5, adding and taking away the row that makes a sequence
 * an image.
 */
function onImages(
  writer: GraphWriter,
  node: Pool,
  mayPad: boolean,
  apply: (x: Operand, shape: Shape, plan: Plan) => Ref,
): { readonly gap: string } | void {
  const { x } = node.operands;
  if (node.attrs.layout !== 'channelsLast') return channelsLastOnly;
  if (!x.shape || x.shape.length < 3 || x.shape.length > 5)
    return gap(`TensorFlow has no pools over values of rank ${x.shape?.length ?? 'unknown'}`);
  const result = node.outputs[0]!.shape!;
  const plan = planOf(
    writer,
    node,
    spatialOf('channelsLast', x.shape),
    spatialOf('channelsLast', result),
    mayPad,
  );
  if (x.shape.length > 3) return writer.set(node.outputs[0]!, apply(x, x.shape, plan));
  const made = apply(
    writer.step('ExpandDims', [x, writer.int(1)]),
    [x.shape[0]!, 1, ...x.shape.slice(1)],
    asImage(plan),
  );
  return writer.node('Squeeze', [made], { squeeze_dims: ints([1]) }, node.outputs);
}

const paddedShape = (shape: Shape, pads: Shape): Shape =>
  shape.map((dim, i) =>
    i === 0 || i === shape.length - 1
      ? dim
      : addDim(dim, addDim(pads[i - 1]!, pads[pads.length / 2 + i - 1]!)),
  );

const isDilated = ({ dilations }: Pick<Plan, 'dilations'>) => dilations.some((step) => step !== 1);

/** The mean over whole windows of a padded value. */
function mean(writer: GraphWriter, x: Operand, shape: Shape, plan: Plan): Ref {
  if (!isDilated(plan)) return pool(writer, 'AvgPool', x, plan);
  const sum = dilated(writer, x, shape, plan, (a, b) => writer.step('AddV2', [a, b]));
  return writer.step('Mul', [sum, writer.scalar(x, 1 / plan.kernel.reduce((a, b) => a * b, 1))]);
}

/** The share of each window that counts in its mean, as a value to divide by. */
function shares(
  writer: GraphWriter,
  x: Operand,
  shape: Shape,
  plan: Plan,
  countIncludePad: boolean,
): Ref {
  const rank = shape.length;
  const one = [1, ...spatialOf('channelsLast', shape), 1];
  const ones = isStatic(one)
    ? writer.step('Fill', [writer.ints(one), writer.scalar(x, 1)], {}, 'float32')
    : writer.step('OnesLike', [
        writer.step('Slice', [
          x,
          writer.ints(zeros(rank)),
          writer.ints([1, ...zeros(rank - 2).map(() => -1), 1]),
        ]),
      ]);
  const pads = allPads(plan);
  const inner = countIncludePad ? padSpatial(writer, ones, plan.pads, 1) : ones;
  const outer = countIncludePad
    ? padSpatial(writer, inner, [...zeros(plan.beyond.length), ...plan.beyond], 0)
    : padSpatial(writer, inner, pads, 0);
  return mean(writer, outer, paddedShape(one, pads), plan);
}

const fromCore = {
  AveragePool: (node, writer) => {
    const { countIncludePad } = node.attrs;
    return onImages(writer, node, !countIncludePad, (x, shape, plan) => {
      if (plan.isSame) return pool(writer, 'AvgPool', x, plan);
      const pads = allPads(plan);
      const whole = mean(writer, padSpatial(writer, x, pads, 0), paddedShape(shape, pads), plan);
      const uncounted = countIncludePad ? plan.beyond : pads;
      return uncounted.every((pad) => pad === 0)
        ? whole
        : writer.step('RealDiv', [whole, shares(writer, x, shape, plan, countIncludePad)]);
    });
  },
  LpPool: (node, writer) =>
    onImages(writer, node, false, (x, shape, plan) => {
      const { p } = node.attrs;
      const pads = allPads(plan);
      const powers = writer.step('Pow', [writer.step('Abs', [x]), writer.scalar(x, p)]);
      const whole = mean(
        writer,
        padSpatial(writer, powers, pads, 0),
        paddedShape(shape, pads),
        plan,
      );
      const sum = writer.step('Mul', [
        whole,
        writer.scalar(
          x,
          plan.kernel.reduce((a, b) => a * b, 1),
        ),
      ]);
      return writer.step('Pow', [sum, writer.scalar(x, 1 / p)]);
    }),
  MaxPool: (node, writer) =>
    onImages(writer, node, true, (x, shape, plan) => {
      const pads = allPads(plan);
      const lowest = writer.dtype(x) === 'float32' ? -Infinity : -(2 ** 31);
      const padded = padSpatial(writer, x, pads, lowest);
      if (!isDilated(plan)) return pool(writer, 'MaxPool', padded, plan);
      return dilated(writer, padded, paddedShape(shape, pads), plan, (a, b) =>
        writer.step('Maximum', [a, b]),
      );
    }),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Pools, both directions. */
export const pooling = { toCore, fromCore };
