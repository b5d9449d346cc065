import { gap, ops, productOf, type Node, type Value, type WriteRules } from '@drover/core';
import { float, int } from '../export/attribute.js';
import type { GraphWriter } from '../export/graph-writer.js';
import { always, versions, type ReadRules, type ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';
import { axisOf } from './movement.js';

type AlongAxis = typeof ops.Softmax;

/** Before version 13 everything from `axis` on was one dimension. */
const flattened = (op: AlongAxis): ToCore => (node) => {
  const x = node.input(0);
  if (!x.shape) throw node.unsupported('the rank of its operand is not known');
  const axis = axisOf(node, node.int('axis', 1), x.rank);
  if (axis === x.shape.length - 1) return node.graph.add(op, { x }, { axis }, node.options).y;
  const flat = node.graph.add(ops.Reshape, { x }, { shape: [...x.shape.slice(0, axis), productOf(x.shape.slice(axis))] }, node.step('flatten')).y;
  const { y } = node.graph.add(op, { x: flat }, { axis }, node.step('flat'));
  return node.graph.add(ops.Reshape, { x: y }, { shape: x.shape }, node.options).y;
};

const alongAxis = (op: AlongAxis): ToCore => (node) =>
  node.graph.add(op, { x: node.input(0) }, { axis: axisOf(node, node.int('axis', -1), node.input(0).rank) }, node.options).y;

const readBatchNormalization: ToCore = (node) => {
  node.ignore('momentum', 'is_test');
  if (node.int('spatial', 1) !== 1) throw node.unsupported('it normalises every element on its own (spatial=0)');
  if (node.int('training_mode', 0) !== 0 || node.hasOutput(1)) throw node.unsupported('it is in training mode');
  const operands = { x: node.input(0), scale: node.input(1), bias: node.input(2), mean: node.input(3), variance: node.input(4) };
  return node.graph.add(ops.BatchNormalization, operands, { axis: 1, epsilon: node.float('epsilon', 1e-5) }, node.options).y;
};

const readLayerNormalization: ToCore = (node) => {
  node.ignore('stash_type');
  if (node.hasOutput(1) || node.hasOutput(2)) throw node.unsupported('its mean or deviation is used');
  const x = node.input(0);
  const attrs = { axis: axisOf(node, node.int('axis', -1), x.rank), epsilon: node.float('epsilon', 1e-5) };
  return node.graph.add(ops.LayerNormalization, { x, scale: node.optional(1), bias: node.optional(2) }, attrs, node.options).y;
};

/** ORT's fusion of a residual sum, an optional bias and a layer normalisation. */
const readSkipLayerNormalization: ToCore = (node) => {
  if (node.hasOutput(1) || node.hasOutput(2)) throw node.unsupported('its mean or deviation is used');
  let x = node.graph.add(ops.Add, { a: node.input(0), b: node.input(1) }, {}, node.step('skip')).y;
  const bias = node.optional(4);
  if (bias) x = node.graph.add(ops.Add, { a: x, b: bias }, {}, node.step('bias')).y;
  const attrs = { axis: (x.rank ?? 3) - 1, epsilon: node.float('epsilon', 1e-12) };
  const { y } = node.graph.add(ops.LayerNormalization, { x, scale: node.optional(2), bias: node.optional(3) }, attrs, node.options);
  return [y, undefined, undefined, ...(node.hasOutput(3) ? [x] : [])];
};

/** In version 18 scale and bias were one for each group; since 21 they are one for each channel. */
const perChannel = (node: SourceNode, value: Value, channels: number, groups: number): Value => {
  if (!value.constant) throw node.unsupported('its scale or bias depends on data');
  const size = channels / groups;
  if (!Number.isInteger(size) || value.constant.shape[0] !== groups) throw node.unsupported(`${channels} channels do not fall into ${groups} groups`);
  const indices = node.graph.literal('int64', [channels], Array.from({ length: channels }, (_, i) => Math.floor(i / size)));
  return node.graph.add(ops.Gather, { x: value, indices }, { axis: 0 }, node.step('per_channel')).y;
};

const readGroupNormalization = (isPerGroup: boolean): ToCore => (node) => {
  node.ignore('stash_type');
  const x = node.input(0);
  const groups = node.int('num_groups');
  const channels = x.shape?.[1];
  if (isPerGroup && typeof channels !== 'number') throw node.unsupported('the number of channels is not known');
  const parameter = (index: number) => (isPerGroup ? perChannel(node, node.input(index), channels as number, groups) : node.input(index));
  const attrs = { groups, epsilon: node.float('epsilon', 1e-5), layout: 'channelsFirst' as const };
  return node.graph.add(ops.GroupNormalization, { x, scale: parameter(1), bias: parameter(2) }, attrs, node.options).y;
};

const toCore = {
  BatchNormalization: always(readBatchNormalization),
  GroupNormalization: versions([18, readGroupNormalization(true)], [21, readGroupNormalization(false)]),
  Hardmax: versions([1, flattened(ops.Hardmax)], [13, alongAxis(ops.Hardmax)]),
  InstanceNormalization: always((node) => {
    const operands = { x: node.input(0), scale: node.input(1), bias: node.input(2) };
    return node.graph.add(ops.InstanceNormalization, operands, { epsilon: node.float('epsilon', 1e-5), layout: 'channelsFirst' }, node.options).y;
  }),
  LayerNormalization: always(readLayerNormalization),
  LogSoftmax: versions([1, flattened(ops.LogSoftmax)], [13, alongAxis(ops.LogSoftmax)]),
  LpNormalization: always((node) => {
    const x = node.input(0);
    return node.graph.add(ops.LpNormalization, { x }, { axis: axisOf(node, node.int('axis', -1), x.rank), p: node.int('p', 2) }, node.options).y;
  }),
  LRN: always((node) => {
    const attrs = { size: node.int('size'), alpha: node.float('alpha', 1e-4), beta: node.float('beta', 0.75), bias: node.float('bias', 1), axis: 1 };
    return node.graph.add(ops.LRN, { x: node.input(0) }, attrs, node.options).y;
  }),
  MeanVarianceNormalization: always((node) => {
    const x = node.input(0);
    const axes = [...(node.ints('axes') ?? [0, 2, 3])].map((axis) => axisOf(node, axis, x.rank)).sort((a, b) => a - b);
    const mean = (of: Value, step: string) => node.graph.add(ops.ReduceMean, { x: of }, { axes, keepdims: true }, node.step(step)).y;
    const centred = node.graph.add(ops.Sub, { a: x, b: mean(x, 'mean') }, {}, node.step('centre')).y;
    const variance = mean(node.graph.add(ops.Mul, { a: centred, b: centred }, {}, node.step('square')).y, 'variance');
    // The specification's function adds 1e-9 to the deviation.
    const deviation = node.graph.add(ops.Sqrt, { x: variance }, {}, node.step('sqrt')).y;
    const divisor = node.graph.add(ops.Add, { a: deviation, b: node.graph.literal(x.dtype, [], [1e-9]) }, {}, node.step('add')).y;
    return node.graph.add(ops.Div, { a: centred, b: divisor }, {}, node.options).y;
  }),
  RMSNormalization: always((node) => {
    node.ignore('stash_type');
    const x = node.input(0);
    const attrs = { axis: axisOf(node, node.int('axis', -1), x.rank), epsilon: node.float('epsilon', 1e-5) };
    return node.graph.add(ops.RMSNormalization, { x, scale: node.optional(1) }, attrs, node.options).y;
  }),
  Softmax: versions([1, flattened(ops.Softmax)], [13, alongAxis(ops.Softmax)]),
  'com.microsoft.SkipLayerNormalization': always(readSkipLayerNormalization),
} satisfies ReadRules;

const writeAlongAxis = (opType: string) => (node: Node<AlongAxis>, writer: GraphWriter): void =>
  writer.node(opType, node.inputs, { axis: int(node.attrs.axis) }, node.outputs);

const fromCore = {
  BatchNormalization: (node, writer) => {
    if (node.attrs.axis !== 1) return gap(`ONNX normalises dimension 1, not ${node.attrs.axis}`);
    return writer.node('BatchNormalization', node.inputs, { epsilon: float(node.attrs.epsilon) }, node.outputs);
  },
  GroupNormalization: (node, writer) =>
    writer.node('GroupNormalization', node.inputs, { num_groups: int(node.attrs.groups), epsilon: float(node.attrs.epsilon) }, node.outputs),
  Hardmax: writeAlongAxis('Hardmax'),
  InstanceNormalization: (node, writer) => writer.node('InstanceNormalization', node.inputs, { epsilon: float(node.attrs.epsilon) }, node.outputs),
  LayerNormalization: (node, writer) => {
    const { x, scale, bias } = node.operands;
    const attributes = { axis: int(node.attrs.axis), epsilon: float(node.attrs.epsilon) };
    const shape = x.shape?.slice(node.attrs.axis);
    if (scale) return writer.node('LayerNormalization', [x, scale, bias], attributes, node.outputs);
    // ONNX asks for a scale.
    const sizes = shape?.filter((dim) => typeof dim === 'number');
    if (!shape || sizes?.length !== shape.length) return gap('its normalised size is not known');
    const count = sizes.reduce((a, b) => a * b, 1);
    return writer.node('LayerNormalization', [x, writer.literal(x.dtype, sizes, new Array<number>(count).fill(1)), bias], attributes, node.outputs);
  },
  LogSoftmax: writeAlongAxis('LogSoftmax'),
  LpNormalization: (node, writer) => writer.node('LpNormalization', node.inputs, { axis: int(node.attrs.axis), p: int(node.attrs.p) }, node.outputs),
  LRN: (node, writer) => {
    const { size, alpha, beta, bias, axis } = node.attrs;
    if (axis !== 1) return gap(`ONNX normalises across dimension 1, not ${axis}`);
    return writer.node('LRN', node.inputs, { size: int(size), alpha: float(alpha), beta: float(beta), bias: float(bias) }, node.outputs);
  },
  RMSNormalization: (node, writer) =>
    writer.node('RMSNormalization', node.inputs, { axis: int(node.attrs.axis), epsilon: float(node.attrs.epsilon) }, node.outputs),
  Softmax: writeAlongAxis('Softmax'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Normalisations, both directions. */
export const normalisation = { toCore, fromCore };
