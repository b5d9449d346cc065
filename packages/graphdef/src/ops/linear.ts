import { ops, sameShape, type Shape, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { bool } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { activate, addBias } from './fused.js';

/** The last two dimensions exchanged. */
function adjoint(node: SourceNode, x: Value, isWanted: boolean, step: string): Value {
  if (!isWanted) return x;
  const rank = node.rank(x);
  return node.transposed(
    x,
    Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
    step,
  );
}

const product =
  (flagA: string, flagB: string): ToCore =>
  (node) => {
    node.ignore('a_is_sparse', 'b_is_sparse', 'grad_a', 'grad_b', 'grad_x', 'grad_y');
    const a = adjoint(node, node.input(0), node.bool(flagA, false), 'a');
    const b = adjoint(node, node.input(1), node.bool(flagB, false), 'b');
    return node.graph.add(ops.MatMul, { a, b }, {}, node.options).y;
  };

const readFusedMatMul: ToCore = (node) => {
  node.ignore('epsilon', 'leakyrelu_alpha', 'TArgs');
  const a = adjoint(node, node.input(0), node.bool('transpose_a', false), 'a');
  const b = adjoint(node, node.input(1), node.bool('transpose_b', false), 'b');
  let y = node.graph.add(ops.MatMul, { a, b }, {}, node.step('product')).y;
  let next = 2;
  for (const fused of node.texts('fused_ops')) {
    y =
      fused === 'BiasAdd'
        ? addBias(node, y, node.input(next++), true, node.step('bias'))
        : activate(node, y, fused, () => node.input(next++));
  }
  return y;
};

const toCore = {
  BatchMatMul: product('adj_x', 'adj_y'),
  BatchMatMulV2: product('adj_x', 'adj_y'),
  BatchMatMulV3: product('adj_x', 'adj_y'),
  Einsum: (node) =>
    node.graph.add(
      ops.Einsum,
      { inputs: node.inputs() },
      { equation: node.text('equation').replaceAll(' ', '') },
      node.options,
    ).y,
  MatMul: product('transpose_a', 'transpose_b'),
  _FusedMatMul: readFusedMatMul,
} satisfies ReadRules;

/** Batch dimensions of a product, as NumPy broadcasts them. */
function batchOf(a: Shape, b: Shape, result: Shape): Shape {
  return result.slice(0, Math.max(a.length, b.length) - 2);
}

/**
 * An operand with the batch dimensions of the result: TF.js computes something else where batches
 * are to be broadcast.
 */
function withBatch(writer: GraphWriter, x: Operand, shape: Shape, batch: Shape): Ref {
  const own = shape.slice(0, -2);
  if (sameShape(own, batch)) return writer.ref(x);
  return writer.step('BroadcastTo', [x, writer.dims([...batch, ...shape.slice(-2)])]);
}

/** The product of two values of rank 2 and more. */
function write(
  writer: GraphWriter,
  a: Operand,
  b: Operand,
  shapes: readonly [Shape, Shape, Shape],
  finish: (op: string, inputs: readonly Operand[]) => void,
): void {
  const [left, right, result] = shapes;
  if (left.length === 2 && right.length === 2) return finish('MatMul', [a, b]);
  if (right.length === 2) {
    // One product of a tall matrix is what a batch of products with the same matrix is.
    const flat = writer.step('Reshape', [a, writer.dims([-1, left.at(-1)!])]);
    const y = writer.step('MatMul', [flat, b], {
      transpose_a: bool(false),
      transpose_b: bool(false),
    });
    return finish('Reshape', [y, writer.target(result)]);
  }
  const batch = batchOf(left, right, result);
  return finish('BatchMatMulV2', [
    withBatch(writer, a, left, batch),
    withBatch(writer, b, right, batch),
  ]);
}

const flags: ReadonlyMap<string, readonly string[]> = new Map([
  ['MatMul', ['transpose_a', 'transpose_b']],
  ['BatchMatMulV2', ['adj_x', 'adj_y']],
]);

const fromCore = {
  Einsum: { gap: 'it is written as products of matrices' },
  MatMul: (node, writer) => {
    const { a, b } = node.operands;
    const y = node.outputs[0]!;
    if (!a.shape || !b.shape || !y.shape) return { gap: 'the rank of an operand is not known' };
    const attributesOf = (op: string) =>
      Object.fromEntries((flags.get(op) ?? []).map((flag) => [flag, bool(false)]));
    if (a.shape.length > 1 && b.shape.length > 1) {
      return write(writer, a, b, [a.shape, b.shape, y.shape], (op, inputs) =>
        writer.node(op, inputs, attributesOf(op), [y]),
      );
    }
    // A vector is a matrix of one row (left) or one column (right), and that dimension goes again.
    const [left, right] = [
      a.shape.length === 1 ? [1, ...a.shape] : a.shape,
      b.shape.length === 1 ? [...b.shape, 1] : b.shape,
    ];
    const whole = [
      ...batchOf(left, right, [
        ...y.shape.slice(
          0,
          y.shape.length - (a.shape.length > 1 ? 1 : 0) - (b.shape.length > 1 ? 1 : 0),
        ),
        0,
        0,
      ]),
      left.at(-2)!,
      right.at(-1)!,
    ];
    const rows = a.shape.length === 1 ? writer.step('ExpandDims', [a, writer.int(0)]) : a;
    const columns = b.shape.length === 1 ? writer.step('ExpandDims', [b, writer.int(-1)]) : b;
    return write(writer, rows, columns, [left, right, whole], (op, inputs) => {
      const made = writer.step(op, inputs, attributesOf(op));
      writer.node('Reshape', [made, writer.target(y.shape!)], {}, [y]);
    });
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Products of matrices, both directions. */
export const linear = { toCore, fromCore };
