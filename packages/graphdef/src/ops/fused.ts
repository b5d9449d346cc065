import { ops, type Value } from '@drover/core';
import type { SourceNode } from '../vocabulary/source-node.js';

/**
 * A bias of one dimension belongs to the channels; the converter of TF.js also turns full additions
 * into BiasAdd, which broadcast as additions do.
 */
export function addBias(
  node: SourceNode,
  x: Value,
  bias: Value,
  isLast: boolean,
  step = node.options,
): Value {
  const rank = x.rank;
  const b =
    !isLast && bias.rank === 1 && rank !== undefined && rank > 2
      ? node.reshaped(bias, [bias.shape![0]!, ...new Array<number>(rank - 2).fill(1)], 'bias')
      : bias;
  return node.graph.add(ops.Add, { a: x, b }, {}, step).y;
}

/** Slopes line up with the last dimensions. */
export function prelu(node: SourceNode, x: Value, given: Value): Value {
  const missing = (x.rank ?? 0) - (given.rank ?? 0);
  const slope =
    missing > 0 && given.shape
      ? node.reshaped(given, [...new Array<number>(missing).fill(1), ...given.shape], 'slope')
      : given;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
}

/**
 * An activation by the name that fused operators give it. `operand` is what the node states for it:
 * the slopes of Prelu.
 */
export function activate(node: SourceNode, x: Value, name: string, operand: () => Value): Value {
  const { graph, options } = node;
  if (name === 'Relu') return graph.add(ops.Relu, { x }, {}, options).y;
  if (name === 'Relu6') return graph.add(ops.Clip, { x }, { min: 0, max: 6 }, options).y;
  if (name === 'Elu') return graph.add(ops.Elu, { x }, { alpha: 1 }, options).y;
  if (name === 'Sigmoid') return graph.add(ops.Sigmoid, { x }, {}, options).y;
  if (name === 'Tanh') return graph.add(ops.Tanh, { x }, {}, options).y;
  if (name === 'LeakyRelu')
    return graph.add(ops.LeakyRelu, { x }, { alpha: node.float('leakyrelu_alpha', 0.2) }, options)
      .y;
  if (name === 'Prelu') return prelu(node, x, operand());
  if (name === 'GeluExact' || name === 'GeluApproximate')
    return graph.add(
      ops.Gelu,
      { x },
      { approximate: name === 'GeluExact' ? 'none' : 'tanh' },
      options,
    ).y;
  throw node.unsupported(`it fuses ${name}`);
}
