import { ops, productOf, Weight, type Node, type Value } from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import {
  binary,
  cast,
  countTo,
  reshaped,
  scalarOf,
  transposed,
  unary,
} from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import { decomposed, type KeepRules, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type AlongAxis = typeof ops.Softmax;

/**
 * Positions behind a row's length count as minus infinity before, and are 0 after; rows of length 0
 * are 0 throughout.
 */
function masked(
  node: SourceNode,
  x: Value,
  axis: number,
): { x: Value; finish: (y: Value) => Value } {
  const shape = node.shape(0);
  const lengths = cast(node, node.input(1), 'int64', 'lengths');
  const positions = countTo(node, shape[axis]!, 'positions');
  const after = shape.length - 1 - axis;
  const row =
    after === 0
      ? positions
      : node.graph.add(
          ops.Unsqueeze,
          { x: positions },
          { axes: Array.from({ length: after }, (_, i) => i + 1) },
          node.step('row'),
        ).y;
  const column = node.graph.add(
    ops.Unsqueeze,
    { x: lengths },
    { axes: [axis] },
    node.step('column'),
  ).y;
  const condition = node.graph.add(ops.Less, { a: row, b: column }, {}, node.step('within')).y;
  const where = (value: Value, amount: number, step?: string) =>
    node.graph.add(
      ops.Where,
      { condition, x: value, y: scalarOf(node, value.dtype, amount) },
      {},
      step === undefined ? node.options : node.step(step),
    ).y;
  return { x: where(x, -Infinity, 'masked'), finish: (y) => where(y, 0) };
}

const readAlongAxis =
  (op: AlongAxis, sign: 1 | -1 = 1): ToCore =>
  (node) => {
    const given = node.input(0);
    const axis = node.axis('axis', node.shape(0).length);
    const temperature = node.maybe('temperature') ?? 1;
    const dtype = node.maybeDtype('dtype');
    let x = sign === 1 ? given : unary(node, ops.Neg, given, 'negative');
    if (temperature !== 1)
      x = binary(node, ops.Div, x, scalarOf(node, x.dtype, temperature), 'temperature');
    if (dtype !== undefined) x = cast(node, x, dtype, 'cast');
    if (!node.bool('use_length')) return node.graph.add(op, { x }, { axis }, node.options).y;
    const { x: covered, finish } = masked(node, x, axis);
    return finish(node.graph.add(op, { x: covered }, { axis }, node.step('softmax')).y);
  };

/** Everything behind the first dimension as one. */
function softmaxOfRows(node: SourceNode): Value {
  const x = node.input(0);
  const shape = node.shape(0);
  if (shape.length === 2) return node.graph.add(ops.Softmax, { x }, { axis: 1 }, node.options).y;
  const flat = reshaped(node, x, [shape[0] ?? 1, productOf(shape.slice(1))], 'flat');
  return reshaped(
    node,
    node.graph.add(ops.Softmax, { x: flat }, { axis: 1 }, node.step('softmax')).y,
    shape,
  );
}

const readSoftmaxOutput: ToCore = (node) => {
  node.ignore(
    'grad_scale',
    'ignore_label',
    'use_ignore',
    'normalization',
    'out_grad',
    'smooth_alpha',
  );
  const [isMulti, keepsShape] = [node.bool('multi_output'), node.bool('preserve_shape')];
  const x = node.input(0);
  if (isMulti) return node.graph.add(ops.Softmax, { x }, { axis: 1 }, node.options).y;
  if (keepsShape)
    return node.graph.add(ops.Softmax, { x }, { axis: node.shape(0).length - 1 }, node.options).y;
  return softmaxOfRows(node);
};

const readBatchNorm: ToCore = (node) => {
  node.ignore('momentum', 'use_global_stats', 'min_calib_range', 'max_calib_range');
  const axis = node.type === 'BatchNorm_v1' ? 1 : node.axis('axis', node.input(0).rank ?? Infinity);
  const [x, gamma, beta, mean, variance] = [
    node.input(0),
    node.input(1),
    node.input(2),
    node.input(3),
    node.input(4),
  ];
  const channels = mean.shape?.[0];
  if (typeof channels !== 'number') throw node.unsupported('the number of channels is not known');
  const scale = node.bool('fix_gamma')
    ? node.graph.literal(
        gamma.dtype,
        [channels],
        new Array<number>(channels).fill(1),
        `${node.name}/gamma`,
      )
    : gamma;
  const epsilon = node.float('eps');
  const isFused = node.type === '_contrib_BatchNormWithReLU';
  const { y } = node.graph.add(
    ops.BatchNormalization,
    { x, scale, bias: beta, mean, variance },
    { axis, epsilon },
    isFused ? node.step('norm') : node.options,
  );
  const result = isFused ? unary(node, ops.Relu, y) : y;
  if (node.type === 'BatchNorm_v1' || !node.bool('output_mean_var')) return result;
  const sum = binary(node, ops.Add, variance, scalarOf(node, variance.dtype, epsilon), 'epsilon');
  return [
    result,
    mean,
    unary(node, ops.Reciprocal, unary(node, ops.Sqrt, sum, 'sqrt'), 'deviation'),
  ];
};

const readLayerNorm: ToCore = (node) => {
  if (node.isUsed(1) || node.isUsed(2)) throw node.unsupported('its mean or deviation is used');
  node.ignore('output_mean_var');
  const x = node.input(0);
  const rank = node.shape(0).length;
  const axis = node.axis('axis', rank);
  const operands = { scale: node.input(1), bias: node.input(2) };
  const attrs = { axis: rank - 1, epsilon: node.float('eps') };
  if (axis === rank - 1)
    return node.graph.add(ops.LayerNormalization, { x, ...operands }, attrs, node.options).y;
  const perm = [...Array.from({ length: rank }, (_, i) => i).filter((i) => i !== axis), axis];
  const moved = transposed(node, x, perm, 'last');
  const { y } = node.graph.add(
    ops.LayerNormalization,
    { x: moved, ...operands },
    attrs,
    node.step('norm'),
  );
  return transposed(
    node,
    y,
    perm.map((_, i) => perm.indexOf(i)),
  );
};

/** MXNet 1.x keeps a scale and a bias for each group, 2.0 for each channel. */
const readGroupNorm: ToCore = (node) => {
  if (node.isUsed(1) || node.isUsed(2)) throw node.unsupported('its mean or deviation is used');
  node.ignore('output_mean_var');
  const groups = node.int('num_groups');
  const channels = node.shape(0)[1];
  if (typeof channels !== 'number') throw node.unsupported('the number of channels is not known');
  const perChannel = (index: number): Value => {
    const value = node.input(index);
    if (value.shape?.[0] === channels) return value;
    if (!value.constant) throw node.unsupported('its scale or bias depends on data');
    const column = value.constant.reshape([groups, 1]);
    return node.graph.constant(
      Weight.concat(new Array<Weight>(channels / groups).fill(column), 1).reshape([channels]),
      value.name,
      value.origin,
    );
  };
  const operands = { x: node.input(0), scale: perChannel(1), bias: perChannel(2) };
  return node.graph.add(
    ops.GroupNormalization,
    operands,
    { groups, epsilon: node.float('eps'), layout: 'channelsFirst' },
    node.options,
  ).y;
};

/**
 * x / sqrt(sum of squares + eps), over all but the batch, over the channels, or over what follows
 * them.
 */
const readL2Normalization: ToCore = (node) => {
  const x = node.input(0);
  const rank = node.shape(0).length;
  const mode = node.text('mode');
  const from = mode === 'spatial' ? 2 : 1;
  const axes = mode === 'channel' ? [1] : Array.from({ length: rank - from }, (_, i) => i + from);
  const sum = node.graph.add(
    ops.ReduceSumSquare,
    { x },
    { axes, keepdims: true },
    node.step('sum'),
  ).y;
  const norm = unary(
    node,
    ops.Sqrt,
    binary(node, ops.Add, sum, scalarOf(node, x.dtype, node.float('eps')), 'eps'),
    'sqrt',
  );
  return binary(node, ops.Div, x, norm);
};

/** Each channel less a mean, over a deviation. */
const readNormalize: ToCore = (node) => {
  const x = node.input(0);
  const channels = node.shape(0).at(-3);
  if (typeof channels !== 'number')
    throw node.unsupported('the number of its channels is not known');
  const along = (name: string) => {
    const stated = node.ints(name) ?? [];
    return node.graph.literal(
      x.dtype,
      [channels, 1, 1],
      Array.from({ length: channels }, (_, i) => stated[i] ?? stated[0]!),
    );
  };
  return binary(node, ops.Div, binary(node, ops.Sub, x, along('mean'), 'centred'), along('std'));
};

function writeBatchNormalization(
  node: Node<typeof ops.BatchNormalization>,
  writer: GraphWriter,
): void {
  const { x, scale, bias, mean, variance } = node.operands;
  const inputs = [x, scale, bias, writer.auxiliary(mean), writer.auxiliary(variance)];
  writer.node(
    'BatchNorm',
    inputs,
    { axis: node.attrs.axis, eps: node.attrs.epsilon, fix_gamma: false },
    node.outputs,
  );
}

/** MXNet always scales and moves: by ones and zeros where core does not. */
function writeLayerNormalization(
  node: Node<typeof ops.LayerNormalization>,
  writer: GraphWriter,
): Gap | void {
  const { x, scale, bias } = node.operands;
  const size = x.shape?.at(-1);
  if (typeof size !== 'number') return gap('the size that it normalises over is not known');
  const filled = (value: number) =>
    writer.literal(x.dtype, [size], new Array<number>(size).fill(value));
  writer.node(
    'LayerNorm',
    [x, scale ?? filled(1), bias ?? filled(0)],
    { axis: node.attrs.axis, eps: node.attrs.epsilon },
    node.outputs,
  );
}

/** MXNet 1.x scales and moves by group, core by channel: the channels follow on their own. */
function writeGroupNormalization(
  node: Node<typeof ops.GroupNormalization>,
  writer: GraphWriter,
): Gap | void {
  const { x, scale, bias } = node.operands;
  const { groups, epsilon } = node.attrs;
  const channels = x.shape?.[1];
  if (!x.shape || typeof channels !== 'number') return gap('the number of channels is not known');
  const filled = (value: number) =>
    writer.literal(x.dtype, [groups], new Array<number>(groups).fill(value));
  const norm = writer.step('GroupNorm', [x, filled(1), filled(0)], {
    num_groups: groups,
    eps: epsilon,
  });
  const column = [channels, ...x.shape.slice(2).map(() => 1)];
  const placed = (value: Value): Operand =>
    value.constant
      ? writer.array(value.name, value.constant.reshape(column))
      : writer.step('Reshape', [value], { shape: column });
  writer.node(
    'broadcast_add',
    [writer.step('broadcast_mul', [norm, placed(scale)]), placed(bias)],
    {},
    node.outputs,
  );
}

const writeAlongAxis =
  (op: string) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(
      op,
      node.inputs as Value[],
      { axis: (node.attrs as { readonly axis: number }).axis },
      node.outputs,
    );

const isConstant = (node: Node, ...operands: readonly number[]): boolean =>
  operands.every((i) => node.inputs[i]?.constant !== undefined);

const toCore = {
  BatchNorm: readBatchNorm,
  BatchNorm_v1: readBatchNorm,
  GroupNorm: readGroupNorm,
  InstanceNorm: (node) => {
    const operands = { x: node.input(0), scale: node.input(1), bias: node.input(2) };
    return node.graph.add(
      ops.InstanceNormalization,
      operands,
      { epsilon: node.float('eps'), layout: 'channelsFirst' },
      node.options,
    ).y;
  },
  L2Normalization: readL2Normalization,
  LRN: (node) => {
    const attrs = {
      size: node.int('nsize'),
      alpha: node.float('alpha'),
      beta: node.float('beta'),
      bias: node.float('knorm'),
      axis: 1,
    };
    return node.graph.add(ops.LRN, { x: node.input(0) }, attrs, node.options).y;
  },
  LayerNorm: readLayerNorm,
  // Instance mode is documented to take everything behind the batch as one; MXNet 1.9.1 takes the
  // last dimension.
  SoftmaxActivation: (node) => {
    const axis = node.text('mode') === 'channel' ? 1 : node.shape(0).length - 1;
    return node.graph.add(ops.Softmax, { x: node.input(0) }, { axis }, node.options).y;
  },
  SoftmaxOutput: readSoftmaxOutput,
  _contrib_BatchNormWithReLU: readBatchNorm,
  _contrib_SyncBatchNorm: readBatchNorm,
  _image_normalize: readNormalize,
  log_softmax: readAlongAxis(ops.LogSoftmax),
  softmax: readAlongAxis(ops.Softmax),
  softmin: readAlongAxis(ops.Softmax, -1),
} satisfies ReadRules;

const fromCore = {
  BatchNormalization: writeBatchNormalization,
  GroupNormalization: writeGroupNormalization,
  Hardmax: decomposed,
  InstanceNormalization: (node, writer) =>
    writer.node('InstanceNorm', node.inputs as Value[], { eps: node.attrs.epsilon }, node.outputs),
  LRN: (node, writer) => {
    const { size, alpha, beta, bias } = node.attrs;
    writer.node('LRN', [node.operands.x], { nsize: size, alpha, beta, knorm: bias }, node.outputs);
  },
  LayerNormalization: writeLayerNormalization,
  LogSoftmax: writeAlongAxis('log_softmax'),
  LpNormalization: decomposed,
  RMSNormalization: decomposed,
  Softmax: writeAlongAxis('softmax'),
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  BatchNormalization: (node) => isConstant(node, 1, 2, 3, 4),
  GroupNormalization: (node) => typeof node.inputs[0]!.shape?.[1] === 'number',
  InstanceNormalization: () => true,
  LRN: (node) => {
    const { size, axis } = node.attrs as { readonly size: number; readonly axis: number };
    return size % 2 === 1 && axis === 1 && node.inputs[0]!.rank === 4;
  },
  LayerNormalization: (node) => {
    const x = node.inputs[0]!;
    return (
      x.rank !== undefined &&
      (node.attrs as { readonly axis: number }).axis === x.rank - 1 &&
      typeof x.shape!.at(-1) === 'number'
    );
  },
} satisfies KeepRules;

/** Normalisations, both directions. */
export const normalisation = { toCore, fromCore, keeps };
