import {
  gap,
  isFloat,
  isStatic,
  productOf,
  sameShape,
  type Gap,
  type Node,
  type ops,
  type Shape,
  type Value,
  type WriteRules,
} from '@drover/core';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';

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

/** Writing of products of matrices. */
export const writeLinear = {
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

/** Elements of a shape, where they are known. */
export function knownCount(shape: Shape): number | undefined {
  const count = productOf(shape);
  return typeof count === 'number' ? count : undefined;
}
