import { ops, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** The last two dimensions exchanged: a constant only gets another handle. */
export function transposed(node: SourceNode, x: Value, step: string): Value {
  if (x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const perm = Array.from({ length: x.rank }, (_, i) =>
    i < x.rank! - 2 ? i : 2 * x.rank! - 3 - i,
  );
  if (x.constant) return node.graph.constant(x.constant.transpose(perm), x.name, x.origin);
  return node.graph.add(ops.Transpose, { x }, { perm }, node.step(step)).y;
}

/** A value times a factor. Throws `core/foreign-op` for a fraction of integers. */
export function scaled(node: SourceNode, x: Value, factor: number, step?: string): Value {
  return new Compose(node).scale(x, factor, step);
}

/** alpha * A' * B' + beta * C. */
const readGemm: ToCore = (node) => {
  const a = node.int('transA', 0) === 1 ? transposed(node, node.input(0), 'a') : node.input(0);
  const b = node.int('transB', 0) === 1 ? transposed(node, node.input(1), 'b') : node.input(1);
  const [alpha, beta] = [node.float('alpha', 1), node.float('beta', 1)];
  const c = node.optional(2);
  const isPlain = !c || beta === 0;
  const product = node.graph.add(
    ops.MatMul,
    { a, b },
    {},
    isPlain && alpha === 1 ? node.options : node.step('product'),
  ).y;
  const weighted = scaled(node, product, alpha, isPlain ? undefined : 'alpha');
  return isPlain
    ? weighted
    : node.graph.add(ops.Add, { a: weighted, b: scaled(node, c, beta, 'beta') }, {}, node.options)
        .y;
};

const toCore = {
  Einsum: always(
    (node) =>
      node.graph.add(
        ops.Einsum,
        { inputs: node.inputs() },
        { equation: node.text('equation') },
        node.options,
      ).y,
  ),
  Gemm: always(readGemm),
  MatMul: always(
    (node) =>
      node.graph.add(ops.MatMul, { a: node.input(0), b: node.input(1) }, {}, node.options).y,
  ),
} satisfies ReadRules;

const fromCore = {
  Einsum: (node, writer) => {
    const { equation } = node.attrs;
    const terms = equation.replaceAll(' ', '').split('->')[0]!.split(',');
    const open = new Set(
      terms.flatMap((term, i) =>
        term.includes('...') ? [(node.operands.inputs[i]?.rank ?? 0) - (term.length - 3)] : [],
      ),
    );
    if (open.size > 1)
      return gap('in ONNX an ellipsis stands for as many dimensions in each operand');
    return writer.node('Einsum', node.inputs, { equation: text(equation) }, node.outputs);
  },
  MatMul: (node, writer) => writer.node('MatMul', node.inputs, {}, node.outputs),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Products of matrices, both directions. */
export const linear = { toCore, fromCore };
