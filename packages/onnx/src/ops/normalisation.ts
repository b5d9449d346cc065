import { isStatic, ops, productOf, type Node, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { float, int } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, versions, wrongLayout, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type AlongAxis = typeof ops.Softmax;

/** Before version 13 everything from `axis` on was one dimension. */
const flattened =
  (op: AlongAxis): ToCore =>
  (node) => {
    const x = node.input(0);
    if (!x.shape) throw node.unsupported('the rank of its operand is not known');
    const axis = axisOf(node, node.int('axis', 1), x.rank);
    if (axis === x.shape.length - 1) return node.graph.add(op, { x }, { axis }, node.options).y;
    const flat = node.graph.add(
      ops.Reshape,
      { x },
      { shape: [...x.shape.slice(0, axis), productOf(x.shape.slice(axis))] },
      node.step('flatten'),
    ).y;
    const { y } = node.graph.add(op, { x: flat }, { axis }, node.step('flat'));
    return node.graph.add(ops.Reshape, { x: y }, { shape: x.shape }, node.options).y;
  };

const alongAxis =
  (op: AlongAxis): ToCore =>
  (node) =>
    node.graph.add(
      op,
      { x: node.input(0) },
      { axis: axisOf(node, node.int('axis', -1), node.input(0).rank) },
      node.options,
    ).y;

const readBatchNormalization: ToCore = (node) => {
  node.ignore('momentum', 'is_test');
  if (node.int('spatial', 1) !== 1)
    throw node.unsupported('it normalises every element on its own (spatial=0)');
  // Before version 14 the number of outputs tells.
  if (node.int('training_mode', 0) !== 0 || node.hasOutput(1)) return readBatchInTraining(node);
  const operands = {
    x: node.input(0),
    scale: node.input(1),
    bias: node.input(2),
    mean: node.input(3),
    variance: node.input(4),
  };
  return node.graph.add(
    ops.BatchNormalization,
    operands,
    { axis: 1, epsilon: node.float('epsilon', 1e-5) },
    node.options,
  ).y;
};

const readLayerNormalization: ToCore = (node) => {
  node.ignore('stash_type');
  const x = node.input(0);
  const attrs = {
    axis: axisOf(node, node.int('axis', -1), x.rank),
    epsilon: node.float('epsilon', 1e-5),
  };
  const { y } = node.graph.add(
    ops.LayerNormalization,
    { x, scale: node.optional(1), bias: node.optional(2) },
    attrs,
    node.options,
  );
  if (!node.hasOutput(1) && !node.hasOutput(2)) return y;
  const compose = new Compose(node);
  const axes = shapeOf(node, x)
    .map((_, i) => i)
    .slice(attrs.axis);
  const { mean, variance } = moments(compose, x, axes);
  return [
    y,
    mean,
    compose.unary(ops.Reciprocal, deviation(compose, variance, attrs.epsilon), 'inverse'),
  ];
};

function moments(
  compose: Compose,
  x: Value,
  axes: readonly number[],
): { mean: Value; centred: Value; variance: Value } {
  const mean = compose.mean(x, axes, 'mean');
  const centred = compose.binary(ops.Sub, x, mean, 'centred');
  return {
    mean,
    centred,
    variance: compose.mean(compose.binary(ops.Mul, centred, centred, 'square'), axes, 'variance'),
  };
}

function deviation(compose: Compose, variance: Value, epsilon: number): Value {
  return compose.unary(
    ops.Sqrt,
    compose.binary(ops.Add, variance, compose.scalar(variance.dtype, epsilon), 'spread'),
    'deviation',
  );
}

/**
 * Training mode: the batch's own moments (not of the sample: divided by the count), and the running
 * ones moved towards them.
 */
const readBatchInTraining = (node: SourceNode): readonly Value[] => {
  const compose = new Compose(node);
  const x = node.input(0);
  const axes = shapeOf(node, x).flatMap((_, i) => (i === 1 ? [] : [i]));
  const { mean, centred, variance } = moments(compose, x, axes);
  const channels = (value: Value, step: string) =>
    compose.unsqueeze(
      value,
      axes.slice(1).map((_, i) => i + 1),
      step,
    );
  const spread = deviation(compose, variance, node.float('epsilon', 1e-5));
  const unit = compose.binary(ops.Div, centred, spread, 'unit');
  const weighted = compose.binary(ops.Mul, unit, channels(node.input(1), 'scale'), 'weighted');
  const momentum = node.float('momentum', 0.9);
  const running = (old: Value, now: Value, step: string) =>
    compose.binary(
      ops.Add,
      compose.scale(old, momentum, `${step}/old`),
      compose.scale(compose.squeeze(now, axes, `${step}/flat`), 1 - momentum, `${step}/new`),
      step,
    );
  const y = compose.binary(ops.Add, weighted, channels(node.input(2), 'bias'));
  return [
    y,
    ...(node.hasOutput(1)
      ? [
          running(node.input(3), mean, 'running_mean'),
          running(node.input(4), variance, 'running_variance'),
        ]
      : []),
    // As onnxruntime has them: the inverse of the deviation, whatever its name.
    ...(node.hasOutput(3)
      ? [
          compose.squeeze(mean, axes, 'saved_mean'),
          compose.squeeze(compose.unary(ops.Reciprocal, spread, 'inverse'), axes, 'saved_var'),
        ]
      : []),
  ];
};

/** In version 18 scale and bias were one for each group; since 21 they are one for each channel. */
const perChannel = (node: SourceNode, value: Value, channels: number, groups: number): Value => {
  const size = channels / groups;
  if (!Number.isInteger(size))
    throw node.malformed(`${channels} channels do not fall into ${groups} groups`);
  const indices = node.graph.literal(
    'int64',
    [channels],
    Array.from({ length: channels }, (_, i) => Math.floor(i / size)),
  );
  return node.graph.add(ops.Gather, { x: value, indices }, { axis: 0 }, node.step('per_channel')).y;
};

const readGroupNormalization =
  (isPerGroup: boolean): ToCore =>
  (node) => {
    node.ignore('stash_type');
    const x = node.input(0);
    const groups = node.int('num_groups');
    const channels = x.shape?.[1];
    if (isPerGroup && typeof channels !== 'number')
      throw node.unsupported('the number of channels is not known');
    const parameter = (index: number) =>
      isPerGroup
        ? perChannel(node, node.input(index), channels as number, groups)
        : node.input(index);
    const attrs = {
      groups,
      epsilon: node.float('epsilon', 1e-5),
      layout: 'channelsFirst' as const,
    };
    return node.graph.add(
      ops.GroupNormalization,
      { x, scale: parameter(1), bias: parameter(2) },
      attrs,
      node.options,
    ).y;
  };

const toCore = {
  BatchNormalization: always(readBatchNormalization),
  GroupNormalization: versions(
    [18, readGroupNormalization(true)],
    [21, readGroupNormalization(false)],
  ),
  Hardmax: versions([1, flattened(ops.Hardmax)], [13, alongAxis(ops.Hardmax)]),
  InstanceNormalization: always((node) => {
    const operands = { x: node.input(0), scale: node.input(1), bias: node.input(2) };
    return node.graph.add(
      ops.InstanceNormalization,
      operands,
      { epsilon: node.float('epsilon', 1e-5), layout: 'channelsFirst' },
      node.options,
    ).y;
  }),
  LayerNormalization: always(readLayerNormalization),
  LogSoftmax: versions([1, flattened(ops.LogSoftmax)], [13, alongAxis(ops.LogSoftmax)]),
  LpNormalization: always((node) => {
    const x = node.input(0);
    return node.graph.add(
      ops.LpNormalization,
      { x },
      { axis: axisOf(node, node.int('axis', -1), x.rank), p: node.int('p', 2) },
      node.options,
    ).y;
  }),
  LRN: always((node) => {
    const attrs = {
      size: node.int('size'),
      alpha: node.float('alpha', 1e-4),
      beta: node.float('beta', 0.75),
      bias: node.float('bias', 1),
      axis: 1,
    };
    return node.graph.add(ops.LRN, { x: node.input(0) }, attrs, node.options).y;
  }),
  MeanVarianceNormalization: always((node) => {
    const x = node.input(0);
    const axes = [...(node.ints('axes') ?? [0, 2, 3])]
      .map((axis) => axisOf(node, axis, x.rank))
      .sort((a, b) => a - b);
    const compose = new Compose(node);
    const { centred, variance } = moments(compose, x, axes);
    // The specification's function adds 1e-9 to the deviation.
    const divisor = compose.binary(
      ops.Add,
      compose.unary(ops.Sqrt, variance, 'sqrt'),
      compose.scalar(x.dtype, 1e-9),
      'divisor',
    );
    return compose.binary(ops.Div, centred, divisor);
  }),
  RMSNormalization: always((node) => {
    node.ignore('stash_type');
    const x = node.input(0);
    const attrs = {
      axis: axisOf(node, node.int('axis', -1), x.rank),
      epsilon: node.float('epsilon', 1e-5),
    };
    return node.graph.add(ops.RMSNormalization, { x, scale: node.optional(1) }, attrs, node.options)
      .y;
  }),
  Softmax: versions([1, flattened(ops.Softmax)], [13, alongAxis(ops.Softmax)]),
} satisfies ReadRules;

const writeAlongAxis =
  (opType: string) =>
  (node: Node<AlongAxis>, writer: GraphWriter): void =>
    writer.node(opType, node.inputs, { axis: int(node.attrs.axis) }, node.outputs);

/** The scale of 1 that ONNX asks for where core has none; undefined when its size is not known. */
function onesFrom(writer: GraphWriter, x: Value, axis: number): string | undefined {
  const shape = x.shape?.slice(axis);
  if (!shape || !isStatic(shape)) return undefined;
  const sizes: readonly number[] = shape;
  return writer.literal(
    x.dtype,
    sizes,
    new Array<number>(sizes.reduce((a, b) => a * b, 1)).fill(1),
  );
}

const fromCore = {
  BatchNormalization: (node, writer) => {
    if (node.attrs.axis !== 1) return gap(`ONNX normalises dimension 1, not ${node.attrs.axis}`);
    return writer.node(
      'BatchNormalization',
      node.inputs,
      { epsilon: float(node.attrs.epsilon) },
      node.outputs,
    );
  },
  GroupNormalization: (node, writer) =>
    node.attrs.layout !== 'channelsFirst'
      ? wrongLayout
      : writer.node(
          'GroupNormalization',
          node.inputs,
          { num_groups: int(node.attrs.groups), epsilon: float(node.attrs.epsilon) },
          node.outputs,
        ),
  Hardmax: writeAlongAxis('Hardmax'),
  InstanceNormalization: (node, writer) =>
    node.attrs.layout !== 'channelsFirst'
      ? wrongLayout
      : writer.node(
          'InstanceNormalization',
          node.inputs,
          { epsilon: float(node.attrs.epsilon) },
          node.outputs,
        ),
  LayerNormalization: (node, writer) => {
    const { x, scale, bias } = node.operands;
    const attributes = { axis: int(node.attrs.axis), epsilon: float(node.attrs.epsilon) };
    const ones = scale ?? onesFrom(writer, x, node.attrs.axis);
    if (!ones) return gap('its normalised size is not known');
    return writer.node('LayerNormalization', [x, ones, bias], attributes, node.outputs);
  },
  LogSoftmax: writeAlongAxis('LogSoftmax'),
  LpNormalization: (node, writer) =>
    writer.node(
      'LpNormalization',
      node.inputs,
      { axis: int(node.attrs.axis), p: int(node.attrs.p) },
      node.outputs,
    ),
  LRN: (node, writer) => {
    const { size, alpha, beta, bias, axis } = node.attrs;
    if (axis !== 1) return gap(`ONNX normalises across dimension 1, not ${axis}`);
    return writer.node(
      'LRN',
      node.inputs,
      { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(bias) },
      node.outputs,
    );
  },
  RMSNormalization: (node, writer) => {
    const { x, scale } = node.operands;
    const ones = scale ?? onesFrom(writer, x, node.attrs.axis);
    if (!ones) return gap('its normalised size is not known');
    return writer.node(
      'RMSNormalization',
      [x, ones],
      { axis: int(node.attrs.axis), epsilon: float(node.attrs.epsilon) },
      node.outputs,
    );
  },
  Softmax: writeAlongAxis('Softmax'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Normalisations, both directions. */
export const normalisation = { toCore, fromCore };
