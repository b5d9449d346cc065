import { ops, type Node, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { float, text } from '../vocabulary/attribute.js';
import { Compose } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, readUnary, writePlain, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

/**
 * A slope of rank below the operand's lines up at the end, as everywhere in ONNX; PyTorch's
 * exporters write [C, 1, 1].
 */
const readPRelu: ToCore = (node) => {
  const [x, given] = [node.input(0), node.input(1)];
  const missing = (x.rank ?? 0) - (given.rank ?? 0);
  if (missing <= 0 || !given.rank)
    return node.graph.add(ops.PRelu, { x, slope: given }, {}, node.options).y;
  const slope = given.constant
    ? node.graph.constant(
        given.constant.reshape([...new Array<number>(missing).fill(1), ...given.constant.shape]),
        given.name,
        given.origin,
      )
    : node.graph.add(
        ops.Unsqueeze,
        { x: given },
        { axes: Array.from({ length: missing }, (_, i) => i) },
        node.step('slope'),
      ).y;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
};

/** x * sigmoid(alpha * x), times a second operand where there is one. */
function swish(node: SourceNode, x: Value, other: Value | undefined): Value {
  const compose = new Compose(node);
  const gate = compose.unary(
    ops.Sigmoid,
    compose.scale(x, node.float('alpha', 1), 'scale'),
    'sigmoid',
  );
  const y = compose.binary(ops.Mul, x, gate, other && 'swish');
  return other ? compose.binary(ops.Mul, y, other) : y;
}

const gelus: ReadonlyMap<string, 'none' | 'tanh'> = new Map<string, 'none' | 'tanh'>([
  ['none', 'none'],
  ['tanh', 'tanh'],
]);

const toCore = {
  Celu: always(
    (node) =>
      node.graph.add(
        ops.Celu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 1) },
        node.options,
      ).y,
  ),
  Elu: always(
    (node) =>
      node.graph.add(ops.Elu, { x: node.input(0) }, { alpha: node.float('alpha', 1) }, node.options)
        .y,
  ),
  Gelu: always(
    (node) =>
      node.graph.add(
        ops.Gelu,
        { x: node.input(0) },
        { approximate: meaningOf(node, 'approximate', gelus, 'none') },
        node.options,
      ).y,
  ),
  HardSigmoid: always(
    (node) =>
      node.graph.add(
        ops.HardSigmoid,
        { x: node.input(0) },
        { alpha: node.float('alpha', 0.2), beta: node.float('beta', 0.5) },
        node.options,
      ).y,
  ),
  HardSwish: always(readUnary(ops.HardSwish)),
  LeakyRelu: always(
    (node) =>
      node.graph.add(
        ops.LeakyRelu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 0.01) },
        node.options,
      ).y,
  ),
  Mish: always(readUnary(ops.Mish)),
  PRelu: always(readPRelu),
  Relu: always(readUnary(ops.Relu)),
  Selu: always(
    (node) =>
      node.graph.add(
        ops.Selu,
        { x: node.input(0) },
        {
          alpha: node.float('alpha', 1.6732632423543772),
          gamma: node.float('gamma', 1.0507009873554805),
        },
        node.options,
      ).y,
  ),
  Shrink: always((node) => {
    const x = node.input(0);
    const compose = new Compose(node);
    const [limit, bias] = [node.float('lambd', 0.5), node.float('bias', 0)];
    const zero = compose.scalar(x.dtype, 0);
    const above = compose.binary(ops.Greater, x, compose.scalar(x.dtype, limit), 'above');
    const below = compose.binary(ops.Less, x, compose.scalar(x.dtype, -limit), 'below');
    const moved = (by: number, step: string) =>
      by === 0 ? x : compose.binary(ops.Add, x, compose.scalar(x.dtype, by), step);
    return compose.where(
      below,
      moved(bias, 'raised'),
      compose.where(above, moved(-bias, 'lowered'), zero, 'upper'),
    );
  }),
  Sigmoid: always(readUnary(ops.Sigmoid)),
  Softplus: always(readUnary(ops.Softplus)),
  Softsign: always(readUnary(ops.Softsign)),
  SwiGLU: always((node) => swish(node, node.input(0), node.input(1))),
  Swish: always((node) => swish(node, node.input(0), undefined)),
  Tanh: always(readUnary(ops.Tanh)),
  ThresholdedRelu: always(
    (node) =>
      node.graph.add(
        ops.ThresholdedRelu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 1) },
        node.options,
      ).y,
  ),
} satisfies ReadRules;

/** Writes an operator whose attributes are floats of the same names. */
const withFloats =
  (opType: string, ...names: readonly string[]) =>
  (node: Node, writer: GraphWriter): void => {
    const attrs = new Map<string, unknown>(Object.entries(node.attrs));
    writer.node(
      opType,
      node.inputs,
      Object.fromEntries(names.map((name) => [name, float(attrs.get(name) as number)])),
      node.outputs,
    );
  };

const fromCore = {
  Celu: withFloats('Celu', 'alpha'),
  Elu: withFloats('Elu', 'alpha'),
  Gelu: (node, writer) =>
    writer.node('Gelu', node.inputs, { approximate: text(node.attrs.approximate) }, node.outputs),
  HardSigmoid: withFloats('HardSigmoid', 'alpha', 'beta'),
  HardSwish: writePlain('HardSwish'),
  LeakyRelu: withFloats('LeakyRelu', 'alpha'),
  Mish: writePlain('Mish'),
  PRelu: writePlain('PRelu'),
  Relu: writePlain('Relu'),
  Selu: withFloats('Selu', 'alpha', 'gamma'),
  Sigmoid: writePlain('Sigmoid'),
  Softplus: writePlain('Softplus'),
  Softsign: writePlain('Softsign'),
  Tanh: writePlain('Tanh'),
  ThresholdedRelu: withFloats('ThresholdedRelu', 'alpha'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Activations, both directions. */
export const activation = { toCore, fromCore };
