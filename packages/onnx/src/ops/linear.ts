import { ops, type Value, type WriteRules } from '@drover/core';
import { text } from '../export/attribute.js';
import type { GraphWriter } from '../export/graph-writer.js';
import { always, type ReadRules, type ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

/** The last two dimensions exchanged: a constant only gets another handle. */
export function transposed(node: SourceNode, x: Value, step: string): Value {
  if (x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const perm = Array.from({ length: x.rank }, (_, i) => (i < x.rank! - 2 ? i : 2 * x.rank! - 3 - i));
  if (x.constant) return node.graph.constant(x.constant.transpose(perm), x.name, x.origin);
  return node.graph.add(ops.Transpose, { x }, { perm }, node.step(step)).y;
}

function scaled(node: SourceNode, x: Value, factor: number, step: string): Value {
  return factor === 1 ? x : node.graph.add(ops.Mul, { a: x, b: node.graph.literal(x.dtype, [], [factor]) }, {}, node.step(step)).y;
}

/** alpha * A' * B' + beta * C. */
const readGemm: ToCore = (node) => {
  const a = node.int('transA', 0) === 1 ? transposed(node, node.input(0), 'a') : node.input(0);
  const b = node.int('transB', 0) === 1 ? transposed(node, node.input(1), 'b') : node.input(1);
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  const c = node.optional(2);
  const isPlain = !c || beta === 0;
  const product = node.graph.add(ops.MatMul, { a, b }, {}, isPlain && alpha === 1 ? node.options : node.step('product')).y;
  const weighted = scaled(node, product, alpha, 'alpha');
  return isPlain ? weighted : node.graph.add(ops.Add, { a: weighted, b: scaled(node, c, beta, 'beta') }, {}, node.options).y;
};

const readFusedMatMul: ToCore = (node) => {
  if (node.int('transBatchA', 0) !== 0 || node.int('transBatchB', 0) !== 0) throw node.unsupported('it moves the batch dimension');
  const a = node.int('transA', 0) === 1 ? transposed(node, node.input(0), 'a') : node.input(0);
  const b = node.int('transB', 0) === 1 ? transposed(node, node.input(1), 'b') : node.input(1);
  return scaled(node, node.graph.add(ops.MatMul, { a, b }, {}, node.step('product')).y, node.float('alpha', 1), 'alpha');
};

const readBiasGelu: ToCore = (node) => {
  const bias = node.optional(1);
  const x = bias ? node.graph.add(ops.Add, { a: node.input(0), b: bias }, {}, node.step('bias')).y : node.input(0);
  return node.graph.add(ops.Gelu, { x }, { approximate: node.type === 'com.microsoft.FastGelu' ? 'tanh' : 'none' }, node.options).y;
};

const toCore = {
  Einsum: always((node) => node.graph.add(ops.Einsum, { inputs: node.inputs() }, { equation: node.text('equation') }, node.options).y),
  Gemm: always(readGemm),
  MatMul: always((node) => node.graph.add(ops.MatMul, { a: node.input(0), b: node.input(1) }, {}, node.options).y),
  'com.microsoft.BiasGelu': always(readBiasGelu),
  'com.microsoft.FastGelu': always(readBiasGelu),
  'com.microsoft.FusedMatMul': always(readFusedMatMul),
} satisfies ReadRules;

const fromCore = {
  Einsum: (node, writer) => writer.node('Einsum', node.inputs, { equation: text(node.attrs.equation) }, node.outputs),
  MatMul: (node, writer) => writer.node('MatMul', node.inputs, {}, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Products of matrices, both directions. */
export const linear = { toCore, fromCore };
