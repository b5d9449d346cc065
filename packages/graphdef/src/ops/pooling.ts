import { gap, isStatic, mulDim, ops, samePadding, spatialOf, subDim, addDim, floorDivDim, type Node, type Shape, type WriteRules } from '@drover/core';
import { ints, text } from '../export/attribute.js';
import type { GraphWriter, Operand, Ref } from '../export/graph-writer.js';
import type { ReadRules, ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';
import { layoutOf, padSpatial, windowOf } from './spatial.js';

function kernelOf(node: SourceNode): readonly number[] {
  const sizes = node.ints('ksize');
  const kernel = spatialOf(layoutOf(node), sizes);
  if (sizes.length < 3 || kernel.reduce((a, b) => a * b, 1) !== sizes.reduce((a, b) => a * b, 1)) throw node.unsupported('its windows go over batch or channels');
  return kernel;
}

const readMaxPool: ToCore = (node) => {
  const x = node.input(0);
  const kernel = kernelOf(node);
  return node.graph.add(ops.MaxPool, { x }, { kernel, ...windowOf(node, x, kernel), ceil: false }, node.options).y;
};

/** Padding never counts in a mean. */
const readAvgPool: ToCore = (node) => {
  const x = node.input(0);
  const kernel = kernelOf(node);
  return node.graph.add(ops.AveragePool, { x }, { kernel, ...windowOf(node, x, kernel), ceil: false, countIncludePad: false }, node.options).y;
};

const toCore = { AvgPool: readAvgPool, AvgPool3D: readAvgPool, MaxPool: readMaxPool, MaxPool3D: readMaxPool } satisfies ReadRules;

type Pool = Node<typeof ops.MaxPool> | Node<typeof ops.AveragePool> | Node<typeof ops.LpPool>;

/** A pool over values of rank 4 or 5, its windows and where they pad. */
interface Plan {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** The pool itself pads, so that the result has ceil(size / stride) elements. */
  readonly isSame: boolean;
  /** Pads to be added before, all begins and then all ends. */
  readonly pads: readonly number[];
  /** Elements behind the end pads that `ceil` lets windows reach. */
  readonly beyond: readonly number[];
}

const zeros = (count: number) => new Array<number>(count).fill(0);

/** Where the windows of a pool lie. Throws `graphdef/unwritable` where that rests on sizes that are not known. */
function planOf(writer: GraphWriter, node: Pool): Plan {
  const { kernel, strides, dilations, padding, pads, ceil } = node.attrs;
  const count = kernel.length;
  const input = node.operands.x.shape && spatialOf('channelsLast', node.operands.x.shape);
  const output = node.outputs[0]!.shape && spatialOf('channelsLast', node.outputs[0]!.shape);
  const common = { kernel, strides, dilations };
  if (padding === 'sameUpper') return { ...common, isSame: true, pads: zeros(2 * count), beyond: zeros(count) };
  if (padding === 'sameLower') throw writer.unwritable('TensorFlow puts the odd pad at the end');
  const beyond = kernel.map((size, i) => {
    if (!ceil) return 0;
    const [from, to] = [input?.[i], output?.[i]];
    const reach = (size - 1) * dilations[i]! + 1;
    const excess = from === undefined || to === undefined ? undefined : subDim(addDim(mulDim(subDim(to, 1), strides[i]!), reach), addDim(from, pads[i]! + pads[count + i]!));
    if (typeof excess !== 'number') throw writer.unwritable('how far its last windows reach depends on a size that is not known');
    return Math.max(excess, 0);
  });
  const isSame =
    input !== undefined &&
    beyond.every((each) => each === 0) &&
    pads.some((pad) => pad > 0) &&
    kernel.every((size, i) => {
      const amounts = samePadding(input[i]!, size, strides[i]!, dilations[i]!, 'upper');
      return amounts !== undefined && amounts[0] === pads[i] && amounts[1] === pads[count + i];
    });
  return { ...common, isSame, pads: isSame ? zeros(2 * count) : pads, beyond };
}

/** Pads in front and behind, and what lies beyond the end. */
const allPads = ({ pads, beyond }: Plan): readonly number[] => pads.map((pad, i) => (i < beyond.length ? pad : pad + beyond[i - beyond.length]!));

const around = (spatial: readonly number[]) => ints([1, ...spatial, 1]);

/** One pool of TensorFlow over a padded value. */
function pool(writer: GraphWriter, op: 'MaxPool' | 'AvgPool', x: Operand, { kernel, strides, isSame }: Plan): Ref {
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
function dilated(writer: GraphWriter, x: Operand, padded: Shape, { kernel, strides, dilations }: Plan, combine: (a: Ref, b: Ref) => Ref): Ref {
  const sizes = spatialOf('channelsLast', padded);
  const counts = kernel.map((size, i) => addDim(floorDivDim(subDim(sizes[i]!, (size - 1) * dilations[i]! + 1), strides[i]!), 1));
  const taps = kernel.reduce<readonly (readonly number[])[]>((all, size) => all.flatMap((each) => Array.from({ length: size }, (_, i) => [...each, i])), [[]]);
  if (taps.length > maxTaps || kernel.length !== 2) throw writer.unwritable('its dilated windows are too large');
  const slices = taps.map((tap) => {
    const starts = tap.map((at, i) => at * dilations[i]!);
    const ends = counts.map((count, i) => addDim(mulDim(subDim(count, 1), strides[i]!), starts[i]! + 1));
    const masks = { begin_mask: { kind: 'i', value: 0b1001 }, end_mask: { kind: 'i', value: 0b1001 } } as const;
    return writer.step('StridedSlice', [x, writer.ints([0, ...starts, 0]), writer.dims([0, ...ends, 0]), writer.ints([1, ...strides, 1])], masks);
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

/** Applies a pool to an operand of rank 3 to 5, adding and taking away the row that makes a sequence an image. */
function onImages(writer: GraphWriter, node: Pool, apply: (x: Operand, shape: Shape, plan: Plan) => Ref): { readonly gap: string } | void {
  const { x } = node.operands;
  if (node.attrs.layout !== 'channelsLast') return gap('TensorFlow.js has its channels in the last dimension');
  if (!x.shape || x.shape.length < 3 || x.shape.length > 5) return gap(`TensorFlow has no pools over values of rank ${x.shape?.length ?? 'unknown'}`);
  const plan = planOf(writer, node);
  if (x.shape.length > 3) return writer.set(node.outputs[0]!, apply(x, x.shape, plan));
  const made = apply(writer.step('ExpandDims', [x, writer.int(1)]), [x.shape[0]!, 1, ...x.shape.slice(1)], asImage(plan));
  return writer.node('Squeeze', [made], { squeeze_dims: ints([1]) }, node.outputs);
}

const paddedShape = (shape: Shape, pads: readonly number[]): Shape =>
  shape.map((dim, i) => (i === 0 || i === shape.length - 1 ? dim : addDim(dim, pads[i - 1]! + pads[pads.length / 2 + i - 1]!)));

const isDilated = ({ dilations }: Plan) => dilations.some((step) => step !== 1);

/** The mean over whole windows of a padded value. */
function mean(writer: GraphWriter, x: Operand, shape: Shape, plan: Plan): Ref {
  if (!isDilated(plan)) return pool(writer, 'AvgPool', x, plan);
  const sum = dilated(writer, x, shape, plan, (a, b) => writer.step('AddV2', [a, b]));
  return writer.step('Mul', [sum, writer.scalar(x, 1 / plan.kernel.reduce((a, b) => a * b, 1))]);
}

/** The share of each window that counts in its mean, as a value to divide by. */
function shares(writer: GraphWriter, x: Operand, shape: Shape, plan: Plan, countIncludePad: boolean): Ref {
  const rank = shape.length;
  const one = [1, ...spatialOf('channelsLast', shape), 1];
  const ones = isStatic(one)
    ? writer.step('Fill', [writer.ints(one), writer.scalar(x, 1)], {}, 'float32')
    : writer.step('OnesLike', [writer.step('Slice', [x, writer.ints(zeros(rank)), writer.ints([1, ...zeros(rank - 2).map(() => -1), 1])])]);
  const pads = allPads(plan);
  const inner = countIncludePad ? padSpatial(writer, ones, plan.pads, 1) : ones;
  const outer = countIncludePad ? padSpatial(writer, inner, [...zeros(plan.beyond.length), ...plan.beyond], 0) : padSpatial(writer, inner, pads, 0);
  return mean(writer, outer, paddedShape(one, pads), plan);
}

const fromCore = {
  AveragePool: (node, writer) =>
    onImages(writer, node, (x, shape, plan) => {
      const { countIncludePad } = node.attrs;
      const pads = allPads(plan);
      if (plan.isSame && !countIncludePad && !isDilated(plan)) return pool(writer, 'AvgPool', x, plan);
      if (plan.isSame && (countIncludePad || isDilated(plan)) && node.attrs.padding !== 'explicit') throw writer.unwritable('its padding depends on a size that is not known');
      // Padding that was recognised as SAME is explicit where it counts.
      const settled: Plan = plan.isSame ? { ...plan, isSame: false, pads: plan.kernel.length === node.attrs.kernel.length ? node.attrs.pads : [0, node.attrs.pads[0]!, 0, node.attrs.pads[1]!] } : plan;
      const amounts = plan.isSame ? allPads(settled) : pads;
      const whole = mean(writer, padSpatial(writer, x, amounts, 0), paddedShape(shape, amounts), settled);
      const counted = countIncludePad ? settled.beyond : amounts;
      return counted.every((pad) => pad === 0) ? whole : writer.step('RealDiv', [whole, shares(writer, x, shape, settled, countIncludePad)]);
    }),
  LpPool: (node, writer) =>
    onImages(writer, node, (x, shape, plan) => {
      const { p } = node.attrs;
      if (plan.isSame) throw writer.unwritable('its padding depends on a size that is not known');
      const pads = allPads(plan);
      const powers = writer.step('Pow', [writer.step('Abs', [x]), writer.scalar(x, p)]);
      const whole = mean(writer, padSpatial(writer, powers, pads, 0), paddedShape(shape, pads), plan);
      const sum = writer.step('Mul', [whole, writer.scalar(x, plan.kernel.reduce((a, b) => a * b, 1))]);
      return writer.step('Pow', [sum, writer.scalar(x, 1 / p)]);
    }),
  MaxPool: (node, writer) =>
    onImages(writer, node, (x, shape, plan) => {
      if (plan.isSame && isDilated(plan)) throw writer.unwritable('its padding depends on a size that is not known');
      const pads = allPads(plan);
      const lowest = writer.dtype(x) === 'float32' ? -Infinity : -(2 ** 31);
      const padded = padSpatial(writer, x, pads, lowest);
      if (!isDilated(plan)) return pool(writer, 'MaxPool', padded, plan);
      return dilated(writer, padded, paddedShape(shape, pads), plan, (a, b) => writer.step('Maximum', [a, b]));
    }),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Pools, both directions. */
export const pooling = { toCore, fromCore };

