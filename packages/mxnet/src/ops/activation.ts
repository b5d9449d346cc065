import { isFloat, ops, type Node, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { unary, type UnaryOp } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import {
  decomposed,
  readFloatUnary,
  readUnary,
  writePlain,
  type KeepRules,
  type ReadRules,
  type ToCore,
} from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const activations: ReadonlyMap<string, UnaryOp> = new Map<string, UnaryOp>([
  ['relu', ops.Relu],
  ['sigmoid', ops.Sigmoid],
  ['tanh', ops.Tanh],
  ['softrelu', ops.Softplus],
  ['softsign', ops.Softsign],
]);

const readActivation: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('act_type');
  const op = activations.get(type ?? '');
  if (!op) throw node.unsupported(`its act_type is ${type}`);
  return unary(node, op, x);
};

/** One slope for each channel, along axis 1. */
function prelu(node: SourceNode): Value {
  const [x, gamma] = [node.input(0), node.input(1)];
  const rank = node.shape(0).length;
  if (gamma.rank !== 1 || rank < 2)
    return node.graph.add(ops.PRelu, { x, slope: gamma }, {}, node.options).y;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const slope = gamma.constant
    ? node.graph.constant(
        gamma.constant.reshape([gamma.constant.shape[0]!, ...axes.map(() => 1)]),
        gamma.name,
        gamma.origin,
      )
    : axes.length === 0
      ? gamma
      : node.graph.add(ops.Unsqueeze, { x: gamma }, { axes }, node.step('slope')).y;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
}

const readLeakyRelu: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('act_type');
  if (node.isUsed(1)) throw node.unsupported('its mask is used');
  const [lower, upper] = [node.float('lower_bound'), node.float('upper_bound')];
  const slope = node.float('slope');
  switch (type) {
    case 'leaky':
      return node.graph.add(ops.LeakyRelu, { x }, { alpha: slope }, node.options).y;
    case 'rrelu':
      return node.graph.add(ops.LeakyRelu, { x }, { alpha: (lower + upper) / 2 }, node.options).y;
    case 'elu':
      return node.graph.add(ops.Elu, { x }, { alpha: slope }, node.options).y;
    case 'selu':
      return node.graph.add(
        ops.Selu,
        { x },
        { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
        node.options,
      ).y;
    case 'gelu':
      return node.graph.add(ops.Gelu, { x }, { approximate: 'none' }, node.options).y;
    case 'prelu':
      return prelu(node);
    default:
      throw node.unsupported(`its act_type is ${type}`);
  }
};

/** A slope for each channel, which lies along axis 1. */
function isChannelSlope(node: Node): boolean {
  const [x, slope] = [node.inputs[0]!, node.inputs[1]!];
  const sizes = slope.constant?.shape;
  if (!sizes || x.rank === undefined || x.rank < 2) return false;
  const count = sizes.reduce((a, b) => a * b, 1);
  return count === 1
    ? sizes.length <= x.rank
    : sizes.length === x.rank - 1 && count === sizes[0] && count === x.shape?.[1];
}

const toCore = {
  Activation: readActivation,
  LeakyReLU: readLeakyRelu,
  LogisticRegressionOutput: (node) => {
    node.ignore('grad_scale');
    return unary(node, ops.Sigmoid, node.input(0));
  },
  _npx_relu: readUnary(ops.Relu),
  _npx_sigmoid: readFloatUnary(ops.Sigmoid),
  hard_sigmoid: (node) =>
    node.graph.add(
      ops.HardSigmoid,
      { x: node.input(0) },
      { alpha: node.float('alpha'), beta: node.float('beta') },
      node.options,
    ).y,
  relu: readUnary(ops.Relu),
  sigmoid: readFloatUnary(ops.Sigmoid),
  softsign: readFloatUnary(ops.Softsign),
} satisfies ReadRules;

const fromCore = {
  Celu: decomposed,
  Elu: (node, writer) =>
    writer.node(
      'LeakyReLU',
      node.inputs as Value[],
      { act_type: 'elu', slope: node.attrs.alpha },
      node.outputs,
    ),
  Gelu: writePlain('LeakyReLU', { act_type: 'gelu' }),
  HardSigmoid: (node, writer) =>
    writer.node(
      'hard_sigmoid',
      node.inputs as Value[],
      { alpha: node.attrs.alpha, beta: node.attrs.beta },
      node.outputs,
    ),
  HardSwish: decomposed,
  LeakyRelu: (node, writer) =>
    writer.node(
      'LeakyReLU',
      node.inputs as Value[],
      { act_type: 'leaky', slope: node.attrs.alpha },
      node.outputs,
    ),
  Mish: decomposed,
  PRelu: (node, writer) => {
    const slope = node.operands.slope.constant!;
    const gamma = writer.array(
      node.operands.slope.name,
      slope.reshape([slope.shape.reduce((a, b) => a * b, 1)]),
    );
    writer.node('LeakyReLU', [node.operands.x, gamma], { act_type: 'prelu' }, node.outputs);
  },
  Relu: (node, writer) =>
    (isFloat(node.operands.x.dtype)
      ? writePlain('Activation', { act_type: 'relu' })
      : writePlain('relu'))(node as Node, writer),
  Selu: writePlain('LeakyReLU', { act_type: 'selu' }),
  Sigmoid: writePlain('Activation', { act_type: 'sigmoid' }),
  Softplus: writePlain('Activation', { act_type: 'softrelu' }),
  Softsign: writePlain('Activation', { act_type: 'softsign' }),
  Tanh: writePlain('Activation', { act_type: 'tanh' }),
  ThresholdedRelu: decomposed,
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  Gelu: (node) => (node.attrs as { readonly approximate: string }).approximate === 'none',
  HardSigmoid: () => true,
  PRelu: isChannelSlope,
  Selu: (node) => {
    const { alpha, gamma } = node.attrs as { readonly alpha: number; readonly gamma: number };
    return (
      Math.abs(alpha - 1.6732632423543772) < 1e-6 && Math.abs(gamma - 1.0507009873554805) < 1e-6
    );
  },
  Softsign: () => true,
} satisfies KeepRules;

/** Activations, both directions. */
export const activation = { toCore, fromCore, keeps };
