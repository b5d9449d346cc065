import { ops, type Node, type Shape, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { bool, float, int, text } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import { decomposed, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { channelsLastOnly, layoutOf } from '../vocabulary/window.js';

const lastAxis =
  (op: typeof ops.Softmax): ToCore =>
  (node) => {
    const x = node.input(0);
    return node.graph.add(op, { x }, { axis: node.rank(x) - 1 }, node.options).y;
  };

/**
 * Mean and variance of a batch, for each index along an axis: what a model that was saved in
 * training mode normalises by.
 */
function momentsOf(
  node: SourceNode,
  x: Value,
  axis: number,
): { readonly mean: Value; readonly variance: Value } {
  const axes = Array.from({ length: node.rank(x) }, (_, i) => i).filter((i) => i !== axis);
  const mean = (of: Value, keepdims: boolean, step: string): Value =>
    node.graph.add(ops.ReduceMean, { x: of }, { axes, keepdims }, node.step(step)).y;
  const centred = node.graph.add(
    ops.Sub,
    { a: x, b: mean(x, true, 'centre') },
    {},
    node.step('centred'),
  ).y;
  const squares = node.graph.add(ops.Mul, { a: centred, b: centred }, {}, node.step('squares')).y;
  return { mean: mean(x, false, 'mean'), variance: mean(squares, false, 'variance') };
}

const readBatchNormalization: ToCore = (node) => {
  node.ignore('exponential_avg_factor');
  const x = node.input(0);
  const axis = layoutOf(node) === 'channelsLast' ? node.rank(x) - 1 : 1;
  const moments = node.bool('is_training', true)
    ? momentsOf(node, x, axis)
    : { mean: node.input(3), variance: node.input(4) };
  const operands = { x, scale: node.input(1), bias: node.input(2), ...moments };
  return [
    node.graph.add(
      ops.BatchNormalization,
      operands,
      { axis, epsilon: node.float('epsilon', 1e-4) },
      node.options,
    ).y,
  ];
};

/** TensorFlow multiplies alpha with the sum, core with the mean over the window. */
const readLrn: ToCore = (node) => {
  const x = node.input(0);
  const size = 2 * node.int('depth_radius', 5) + 1;
  const attrs = {
    size,
    alpha: node.float('alpha', 1) * size,
    beta: node.float('beta', 0.5),
    bias: node.float('bias', 1),
    axis: node.rank(x) - 1,
  };
  return node.graph.add(ops.LRN, { x }, attrs, node.options).y;
};

const toCore = {
  FusedBatchNorm: readBatchNormalization,
  FusedBatchNormV2: readBatchNormalization,
  FusedBatchNormV3: readBatchNormalization,
  LogSoftmax: lastAxis(ops.LogSoftmax),
  LRN: readLrn,
  Softmax: lastAxis(ops.Softmax),
} satisfies ReadRules;

/** A vector along one axis of values of a rank. */
function along(writer: GraphWriter, x: Operand, size: Shape, axis: number, rank: number): Operand {
  if (axis === rank - 1) return x;
  return writer.reshape(
    x,
    Array.from({ length: rank }, (_, i) => (i === axis ? size[0]! : 1)),
  );
}

/** A reduction along one axis that stays with size 1. */
const reduced = (writer: GraphWriter, op: string, x: Operand, axis: number) =>
  writer.step(op, [x, writer.ints([axis])], { keep_dims: bool(true) });

/** Axes between batch and channels. */
const spatialAxes = (rank: number): readonly number[] =>
  Array.from({ length: rank - 2 }, (_, i) => i + 1);

/** Mean 0 and variance 1 over some axes. */
function normalised(
  writer: GraphWriter,
  x: Operand,
  axes: readonly number[],
  epsilon: number,
): Ref {
  const mean = (of: Operand): Ref =>
    writer.step('Mean', [of, writer.ints(axes)], { keep_dims: bool(true) });
  const centred = writer.step('Sub', [x, mean(x)]);
  const variance = mean(writer.step('Square', [centred]));
  return writer.step('Mul', [
    centred,
    writer.step('Rsqrt', [writer.step('AddV2', [variance, writer.scalar(variance, epsilon)])]),
  ]);
}

/** A scale and an offset for each channel, which is the last dimension. */
const affine = (
  writer: GraphWriter,
  x: Operand,
  scale: Operand,
  bias: Operand,
  output: Value,
): void => writer.node('AddV2', [writer.step('Mul', [x, scale]), bias], {}, [output]);

/**
 * Softmax has only the last axis in TensorFlow: others are written out, the largest element taken
 * off first.
 */
const writeSoftmax =
  (op: 'Softmax' | 'LogSoftmax') =>
  (node: Node<typeof ops.Softmax>, writer: GraphWriter): void => {
    const { x } = node.operands;
    const { axis } = node.attrs;
    if (x.rank !== undefined && axis === x.rank - 1) return writer.node(op, [x], {}, node.outputs);
    const shifted = writer.step('Sub', [x, reduced(writer, 'Max', x, axis)]);
    const powers = writer.step('Exp', [shifted]);
    const sum = reduced(writer, 'Sum', powers, axis);
    if (op === 'Softmax') return writer.node('RealDiv', [powers, sum], {}, node.outputs);
    return writer.node('Sub', [shifted, writer.step('Log', [sum])], {}, node.outputs);
  };

const fromCore = {
  BatchNormalization: (node, writer) => {
    const { x, scale, bias, mean, variance } = node.operands;
    const { axis, epsilon } = node.attrs;
    const { rank } = x;
    if (rank === undefined || !scale.shape) return gap('the rank of its operand is not known');
    if (rank === 4 && axis === 3) {
      const [y] = writer.steps(
        'FusedBatchNormV3',
        [x, scale, bias, mean, variance],
        { epsilon: float(epsilon), is_training: bool(false), data_format: text('NHWC') },
        new Array<'float32'>(6).fill('float32'),
      );
      return writer.set(node.outputs[0]!, y!);
    }
    const inverse = writer.step('Rsqrt', [
      writer.step('AddV2', [variance, writer.scalar(variance, epsilon)]),
    ]);
    const factor = writer.step('Mul', [scale, inverse]);
    const offset = writer.step('Sub', [bias, writer.step('Mul', [mean, factor])]);
    const scaled = writer.step('Mul', [x, along(writer, factor, scale.shape, axis, rank)]);
    return writer.node(
      'AddV2',
      [scaled, along(writer, offset, scale.shape, axis, rank)],
      {},
      node.outputs,
    );
  },
  GroupNormalization: (node, writer) => {
    const { x, scale, bias } = node.operands;
    const { groups, epsilon, layout } = node.attrs;
    const channels = x.shape?.at(-1);
    if (layout !== 'channelsLast') return channelsLastOnly;
    if (!x.shape || typeof channels !== 'number')
      return gap('the number of its channels is not known');
    const rank = x.shape.length;
    const inGroups = writer.reshape(x, [...x.shape.slice(0, -1), groups, channels / groups]);
    const normal = normalised(writer, inGroups, [...spatialAxes(rank), rank], epsilon);
    return affine(writer, writer.reshape(normal, x.shape), scale, bias, node.outputs[0]!);
  },
  Hardmax: decomposed,
  InstanceNormalization: (node, writer) => {
    const { x, scale, bias } = node.operands;
    if (node.attrs.layout !== 'channelsLast') return channelsLastOnly;
    if (x.rank === undefined) return gap('the rank of its operand is not known');
    return affine(
      writer,
      normalised(writer, x, spatialAxes(x.rank), node.attrs.epsilon),
      scale,
      bias,
      node.outputs[0]!,
    );
  },
  LayerNormalization: decomposed,
  LogSoftmax: writeSoftmax('LogSoftmax'),
  LpNormalization: decomposed,
  LRN: (node, writer) => {
    const { size, alpha, beta, bias, axis } = node.attrs;
    if (node.operands.x.rank !== 4 || axis !== 3 || size % 2 === 0)
      return gap('TensorFlow normalises over an odd number of channels of images');
    const attributes = {
      depth_radius: int((size - 1) / 2),
      alpha: float(alpha / size),
      beta: float(beta),
      bias: float(bias),
    };
    return writer.node('LRN', node.inputs as Value[], attributes, node.outputs);
  },
  RMSNormalization: decomposed,
  Softmax: writeSoftmax('Softmax'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Normalisations, both directions. */
export const normalisation = { toCore, fromCore };
