import { mulDim, ops, productOf, type Shape, type Value } from '@drover/core';
import {
  binary,
  cast,
  indicesOf,
  matrixTransposed,
  scalarOf,
  transposed,
} from '../import/build.js';
import type { ReadRules, ToCore } from '../import/rule.js';
import type { SourceNode } from '../import/source-node.js';

/**
 * Everything behind the first dimension as one; its size is what the weight says where that is
 * known.
 */
function flattened(node: SourceNode, x: Value, features: number | undefined): Value {
  if (!x.shape) throw node.unsupported('the rank of its input is not known');
  if (x.shape.length === 2) return x;
  const size = features ?? productOf(x.shape.slice(1));
  return node.graph.add(
    ops.Reshape,
    { x },
    { shape: [x.shape[0] ?? 1, size] },
    node.step('flatten'),
  ).y;
}

const readFullyConnected: ToCore = (node) => {
  const w = node.restated(1, [node.int('num_hidden'), undefined]);
  const features = w.shape?.[1];
  const x = node.bool('flatten')
    ? flattened(node, node.input(0), typeof features === 'number' ? features : undefined)
    : node.input(0);
  const isBiased = !node.bool('no_bias');
  const product = node.graph.add(
    ops.MatMul,
    { a: x, b: matrixTransposed(node, w, 'weight') },
    {},
    isBiased ? node.step('product') : node.options,
  ).y;
  return isBiased ? binary(node, ops.Add, product, node.input(2)) : product;
};

/** Contracts the last axis of a with the first of b. */
const readDot: ToCore = (node) => {
  const reversed = (x: Value, flag: string, step: string) => {
    if (!node.bool(flag)) return x;
    if (x.rank === undefined) throw node.unsupported('the rank of its input is not known');
    return transposed(
      node,
      x,
      Array.from({ length: x.rank }, (_, i) => x.rank! - 1 - i),
      step,
    );
  };
  const a = reversed(node.input(0), 'transpose_a', 'a');
  const b = reversed(node.input(1), 'transpose_b', 'b');
  if (!a.shape || !b.shape) throw node.unsupported('the rank of its input is not known');
  const isScalar = a.shape.length === 1 && b.shape.length === 1;
  if (b.shape.length <= 2 && !isScalar)
    return node.graph.add(ops.MatMul, { a, b }, {}, node.options).y;
  if (isScalar) {
    const product = node.graph.add(ops.MatMul, { a, b }, {}, node.step('product')).y;
    return node.type === 'dot'
      ? node.graph.add(ops.Unsqueeze, { x: product }, { axes: [0] }, node.options).y
      : product;
  }
  const flat = node.graph.add(
    ops.Reshape,
    { x: b },
    { shape: [b.shape[0]!, productOf(b.shape.slice(1))] },
    node.step('flat'),
  ).y;
  const product = node.graph.add(ops.MatMul, { a, b: flat }, {}, node.step('product')).y;
  const shape: Shape = [...a.shape.slice(0, -1), ...b.shape.slice(1)];
  return node.graph.add(ops.Reshape, { x: product }, { shape }, node.options).y;
};

const readBatchDot: ToCore = (node) => {
  const a = node.bool('transpose_a') ? matrixTransposed(node, node.input(0), 'a') : node.input(0);
  const b = node.bool('transpose_b') ? matrixTransposed(node, node.input(1), 'b') : node.input(1);
  return node.graph.add(ops.MatMul, { a, b }, {}, node.options).y;
};

const readGemm2: ToCore = (node) => {
  if (node.int('axis') !== -2)
    throw node.unsupported('its matrices do not lie in the last dimensions');
  const alpha = node.float('alpha');
  const a = node.bool('transpose_a') ? matrixTransposed(node, node.input(0), 'a') : node.input(0);
  const b = node.bool('transpose_b') ? matrixTransposed(node, node.input(1), 'b') : node.input(1);
  const product = node.graph.add(
    ops.MatMul,
    { a, b },
    {},
    alpha === 1 ? node.options : node.step('product'),
  ).y;
  return alpha === 1
    ? product
    : binary(node, ops.Mul, product, scalarOf(node, product.dtype, alpha));
};

/** Rows of a table; indices outside it read its first or last row. */
const readEmbedding: ToCore = (node) => {
  const rows = node.int('input_dim');
  node.ignore('dtype');
  const table = node.restated(1, [rows, node.int('output_dim')]);
  const indices = node.graph.add(
    ops.Clip,
    { x: indicesOf(node, node.input(0)) },
    { min: 0, max: rows - 1 },
    node.step('clip'),
  ).y;
  return node.graph.add(ops.Gather, { x: table, indices }, { axis: 0 }, node.options).y;
};

/** [T, N, heads * parts * d], a head's parts side by side: part `index` as [N * heads, T, d]. */
function interleaved(
  node: SourceNode,
  x: Value,
  parts: number,
  index: number,
  step: string,
): Value {
  const heads = node.int('heads');
  const [time, batch, width] = x.shape ?? [];
  if (time === undefined || batch === undefined || typeof width !== 'number')
    throw node.unsupported('the shape of its input is not known');
  const size = width / heads / parts;
  const split = node.graph.add(
    ops.Reshape,
    { x },
    { shape: [time, batch, heads, parts, size] },
    node.step(`${step}/split`),
  ).y;
  const part = node.graph.add(
    ops.Gather,
    { x: split, indices: node.graph.literal('int64', [], [index]) },
    { axis: 3 },
    node.step(`${step}/part`),
  ).y;
  const moved = node.graph.add(
    ops.Transpose,
    { x: part },
    { perm: [1, 2, 0, 3] },
    node.step(`${step}/heads`),
  ).y;
  return node.graph.add(
    ops.Reshape,
    { x: moved },
    { shape: [mulDim(batch, heads), time, size] },
    node.step(step),
  ).y;
}

/** Queries, scaled by the root of their size, times keys. */
const readScores =
  (parts: 3 | 2): ToCore =>
  (node) => {
    const q = interleaved(node, node.input(0), parts === 3 ? 3 : 1, 0, 'query');
    const k = interleaved(node, node.input(parts === 3 ? 0 : 1), parts, parts === 3 ? 1 : 0, 'key');
    const size = q.shape![2] as number;
    const scaled = binary(node, ops.Mul, q, scalarOf(node, q.dtype, 1 / Math.sqrt(size)), 'scale');
    return node.graph.add(
      ops.MatMul,
      { a: scaled, b: matrixTransposed(node, k, 'transpose') },
      {},
      node.options,
    ).y;
  };

/** Attention [N * heads, Tq, Tk] times values, back to [Tq, N, heads * d]. */
const readWeighted =
  (parts: 3 | 2): ToCore =>
  (node) => {
    const heads = node.int('heads');
    const source = node.input(0);
    const v = interleaved(node, source, parts, parts - 1, 'value');
    const product = node.graph.add(
      ops.MatMul,
      { a: node.input(1), b: v },
      {},
      node.step('product'),
    ).y;
    const time = node.shape(1)[1]!;
    const batch = source.shape![1]!;
    const size = v.shape![2] as number;
    const split = node.graph.add(
      ops.Reshape,
      { x: product },
      { shape: [batch, heads, time, size] },
      node.step('split'),
    ).y;
    const moved = node.graph.add(
      ops.Transpose,
      { x: split },
      { perm: [2, 0, 1, 3] },
      node.step('time'),
    ).y;
    return node.graph.add(
      ops.Reshape,
      { x: moved },
      { shape: [time, batch, heads * size] },
      node.options,
    ).y;
  };

const toCore = {
  Embedding: readEmbedding,
  _contrib_SparseEmbedding: readEmbedding,
  FullyConnected: readFullyConnected,
  _contrib_interleaved_matmul_encdec_qk: readScores(2),
  _contrib_interleaved_matmul_encdec_valatt: readWeighted(2),
  _contrib_interleaved_matmul_selfatt_qk: readScores(3),
  _contrib_interleaved_matmul_selfatt_valatt: readWeighted(3),
  _linalg_gemm2: readGemm2,
  _np_dot: (node) => {
    const [a, b] = [node.input(0), node.input(1)];
    if ((a.rank ?? 3) > 2 && (b.rank ?? 3) > 2)
      throw node.unsupported('it contracts tensors of more than two dimensions');
    return a.rank === 0 || b.rank === 0
      ? binary(node, ops.Mul, a, b)
      : node.graph.add(ops.MatMul, { a, b }, {}, node.options).y;
  },
  _npi_einsum: (node) => {
    node.ignore('optimize');
    return node.graph.add(
      ops.Einsum,
      { inputs: node.inputs() },
      { equation: node.text('subscripts') ?? '' },
      node.options,
    ).y;
  },
  _npi_matmul: (node) =>
    node.graph.add(
      ops.MatMul,
      { a: node.input(0), b: cast(node, node.input(1), node.input(0).dtype, 'cast') },
      {},
      node.options,
    ).y,
  batch_dot: readBatchDot,
  dot: readDot,
} satisfies ReadRules;

/** Products of matrices and tables, both directions. */
export const linear = { toCore };
