import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { float } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { plain, unary } from '../vocabulary/one-to-one.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import { decomposed } from '../vocabulary/rule.js';
import { prelu } from './fused.js';

const readPrelu: ToCore = (node) => prelu(node, node.input(0), node.input(1));

const selu = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

const toCore = {
  Elu: (node) => node.graph.add(ops.Elu, { x: node.input(0) }, { alpha: 1 }, node.options).y,
  LeakyRelu: (node) =>
    node.graph.add(
      ops.LeakyRelu,
      { x: node.input(0) },
      { alpha: node.float('alpha') },
      node.options,
    ).y,
  Prelu: readPrelu,
  Relu: unary(ops.Relu),
  Selu: (node) => node.graph.add(ops.Selu, { x: node.input(0) }, selu, node.options).y,
  Sigmoid: unary(ops.Sigmoid),
  Softplus: unary(ops.Softplus),
  Softsign: unary(ops.Softsign),
  Tanh: unary(ops.Tanh),
} satisfies ReadRules;

const fromCore = {
  Celu: decomposed,
  Elu: (node, writer) => {
    const { x } = node.operands;
    if (node.attrs.alpha === 1) return writer.node('Elu', [x], {}, node.outputs);
    const below = writer.step('Mul', [
      writer.step('Expm1', [writer.step('Minimum', [x, writer.scalar(x, 0)])]),
      writer.scalar(x, node.attrs.alpha),
    ]);
    return writer.node('AddV2', [writer.step('Relu', [x]), below], {}, node.outputs);
  },
  Gelu: decomposed,
  HardSigmoid: decomposed,
  HardSwish: decomposed,
  LeakyRelu: (node, writer) =>
    writer.node('LeakyRelu', [node.operands.x], { alpha: float(node.attrs.alpha) }, node.outputs),
  Mish: decomposed,
  PRelu: decomposed,
  Relu: plain('Relu'),
  Selu: (node, writer) => {
    const { x } = node.operands;
    const { alpha, gamma } = node.attrs;
    const close = (a: number, b: number) => Math.fround(a) === Math.fround(b);
    if (close(alpha, selu.alpha) && close(gamma, selu.gamma))
      return writer.node('Selu', [x], {}, node.outputs);
    const below = writer.step('Mul', [
      writer.step('Expm1', [writer.step('Minimum', [x, writer.scalar(x, 0)])]),
      writer.scalar(x, alpha * gamma),
    ]);
    return writer.node(
      'AddV2',
      [writer.step('Mul', [writer.step('Relu', [x]), writer.scalar(x, gamma)]), below],
      {},
      node.outputs,
    );
  },
  Sigmoid: plain('Sigmoid'),
  Softplus: plain('Softplus'),
  Softsign: decomposed,
  Tanh: plain('Tanh'),
  ThresholdedRelu: decomposed,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Activations, both directions. */
export const activation = { toCore, fromCore };
