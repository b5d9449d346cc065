import {
  isFloat,
  isStatic,
  mulDim,
  ops,
  productOf,
  sameShape,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, matrixTransposed, scalarOf, transposed } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import type { KeepRules, ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** Divided by the root of the size of the last dimension, as scores of attention are. */
const readDivSqrtDim: ToCore = (node) => {
  const x = node.input(0);
  const size = node.shape(0).at(-1);
  if (typeof size !== 'number')
    throw node.unsupported('the size of its last dimension is not known');
  return binary(node, ops.Div, x, scalarOf(node, x.dtype, Math.sqrt(size)));
};

/** The bias that the only user of a product adds, where it is a constant row. */
function addedBias(node: Node): { bias: Value; sum: Node } | undefined {
  const [y] = node.outputs;
  const [sum, ...others] = y!.users;
  if (!sum || others.length > 0 || sum.op.name !== 'Add') return undefined;
  const bias = sum.inputs.find((value) => value !== y);
  const width = y!.shape?.at(-1);
  return bias?.constant && bias.rank === 1 && bias.shape?.[0] === width ? { bias, sum } : undefined;
}

/** Rows of a matrix of weights times x: FullyConnected, with the bias if the next node adds one. */
function writeFullyConnected(node: Node, writer: GraphWriter, x: Value, b: Value): void {
  const weight = b.constant!;
  const units = weight.shape[1]!;
  const stored = writer.array(b.name, weight.transpose([1, 0]));
  const joined = writer.isOutput(node.outputs[0]!) ? undefined : addedBias(node);
  const inputs: Operand[] = joined ? [x, stored, joined.bias] : [x, stored];
  const attributes = { num_hidden: units, no_bias: joined === undefined, flatten: false };
  if (!joined) return writer.node('FullyConnected', inputs, attributes, node.outputs);
  writer.node('FullyConnected', inputs, attributes, joined.sum.outputs);
  writer.finish(joined.sum);
}

function writeMatMul(node: Node<typeof ops.MatMul>, writer: GraphWriter): Gap | void {
  const { a, b } = node.operands;
  const [p, q] = [a.shape, b.shape];
  const y = node.outputs[0]!;
  if (!isFloat(a.dtype)) return gap('MXNet multiplies matrices of floats only');
  if (!p || !q || !y.shape) return gap('the rank of its operands is not known');
  if (b.constant && q.length === 2 && p.length > 1)
    return writeFullyConnected(node as Node, writer, a, b);
  if (q.length <= 2 && p.length >= 1) return writer.node('dot', [a, b], {}, node.outputs);
  // Products of stacks: equal stacks are joined to one dimension, others are broadcast by the NumPy
  // operator.
  const [left, right] = [p.slice(0, -2), q.slice(0, -2)];
  if (p.length < 3 || !sameShape(left, right))
    return writer.node('_npi_matmul', [a, b], {}, node.outputs);
  if (left.length === 1) return writer.node('batch_dot', [a, b], {}, node.outputs);
  const stacked = (value: Value) =>
    writer.step('Reshape', [value], { shape: [-1, 0, 0], reverse: true });
  const product = writer.step('batch_dot', [stacked(a), stacked(b)]);
  if (isStatic(y.shape)) return writer.node('Reshape', [product], { shape: y.shape }, node.outputs);
  writer.node(
    'reshape_like',
    [product, a],
    { lhs_begin: 0, lhs_end: 1, rhs_begin: 0, rhs_end: left.length },
    node.outputs,
  );
}

const toCore = {
  FullyConnected: readFullyConnected,
  _contrib_div_sqrt_dim: readDivSqrtDim,
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

const fromCore = {
  Einsum: (node, writer) => {
    const { inputs } = node.operands;
    writer.node(
      '_npi_einsum',
      inputs,
      { num_args: inputs.length, subscripts: node.attrs.equation.replaceAll(' ', '') },
      node.outputs,
    );
  },
  MatMul: writeMatMul,
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  Einsum: (node) => !/\./.test((node.attrs as { readonly equation: string }).equation),
} satisfies KeepRules;

/** Products of matrices, both directions. */
export const linear = { toCore, fromCore, keeps };
