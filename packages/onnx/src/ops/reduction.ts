import {
  ops,
  type Attr,
  type AttrValues,
  type Node,
  type Op,
  type Operand,
  type Value,
} from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { dataTypeOf } from '../codec/data-type.js';
import { int, ints } from '../vocabulary/attribute.js';
import { axisOf } from '../vocabulary/axis.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { constantInts } from '../vocabulary/integer-operand.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type ReduceAttrs = { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> };
type ReduceOp = Op<{ readonly x: Operand<'one'> }, { readonly y: Operand<'one'> }, ReduceAttrs>;

/**
 * The axes of a reduction. None stated means all, unless `noop_with_empty_axes`; then the value
 * passes.
 */
function reduce(node: SourceNode, op: ReduceOp, stated: readonly number[] | undefined): Value {
  const x = node.input(0);
  const keepdims = node.int('keepdims', 1) === 1;
  const isNoop = node.int('noop_with_empty_axes', 0) === 1;
  const none = stated === undefined || stated.length === 0;
  if (none && x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
  const axes = none
    ? isNoop
      ? []
      : Array.from({ length: x.rank! }, (_, i) => i)
    : stated.map((axis) => axisOf(node, axis, x.rank)).sort((a, b) => a - b);
  return node.graph.add(op, { x }, { axes, keepdims }, node.options).y;
}

const byAttribute =
  (op: ReduceOp): ToCore =>
  (node) =>
    reduce(node, op, node.ints('axes'));
/** An operand without elements states no axes, whatever it holds when the model runs. */
const byOperand =
  (op: ReduceOp): ToCore =>
  (node) =>
    reduce(node, op, node.optional(1)?.shape?.[0] === 0 ? [] : constantInts(node, 1));

/** Axes became an operand in version 18, of ReduceSum in version 13. */
const readReduce = (op: ReduceOp, since = 18) =>
  versions([1, byAttribute(op)], [since, byOperand(op)]);

const readArg =
  (op: typeof ops.ArgMax): ToCore =>
  (node) => {
    const x = node.input(0);
    const attrs = {
      axis: axisOf(node, node.int('axis', 0), x.rank),
      keepdims: node.int('keepdims', 1) === 1,
      selectLastIndex: node.int('select_last_index', 0) === 1,
    };
    return node.graph.add(op, { x }, attrs, node.options).y;
  };

const readTopK: ToCore = (node) => {
  const x = node.input(0);
  const k = node.has('k') ? undefined : node.input(1);
  const attrs = {
    axis: axisOf(node, node.int('axis', -1), x.rank),
    largest: node.int('largest', 1) === 1,
    sorted: node.int('sorted', 1) === 1,
    k: k ? null : [node.int('k')],
  };
  const { values, indices } = node.graph.add(ops.TopK, { x, k }, attrs, node.options);
  return [values, indices];
};

const toCore = {
  ArgMax: always(readArg(ops.ArgMax)),
  ArgMin: always(readArg(ops.ArgMin)),
  CumSum: always((node) => {
    const x = node.input(0);
    const axis = axisOf(node, Number(node.constant(1).data[0]), x.rank);
    return node.graph.add(
      ops.CumSum,
      { x },
      { axis, exclusive: node.int('exclusive', 0) === 1, reverse: node.int('reverse', 0) === 1 },
      node.options,
    ).y;
  }),
  ReduceL1: readReduce(ops.ReduceL1),
  ReduceL2: readReduce(ops.ReduceL2),
  ReduceLogSum: readReduce(ops.ReduceLogSum),
  ReduceLogSumExp: readReduce(ops.ReduceLogSumExp),
  ReduceMax: readReduce(ops.ReduceMax),
  ReduceMean: readReduce(ops.ReduceMean),
  ReduceMin: readReduce(ops.ReduceMin),
  ReduceProd: readReduce(ops.ReduceProd),
  ReduceSum: readReduce(ops.ReduceSum, 13),
  ReduceSumSquare: readReduce(ops.ReduceSumSquare),
  TopK: always(readTopK),
} satisfies ReadRules;

const writeReduce =
  (opType: string, since = 18) =>
  (node: Node, writer: GraphWriter): void => {
    const { axes, keepdims } = node.attrs as AttrValues<ReduceAttrs>;
    const isOperand = writer.opset >= since;
    // An empty list means all axes unless told otherwise, and before it was an operand nothing
    // could tell.
    if (axes.length === 0) return writer.node('Identity', node.inputs, {}, node.outputs);
    const attributes = { keepdims: int(keepdims), axes: isOperand ? undefined : ints(axes) };
    const operands = (x: Value | string) => (isOperand ? [x, writer.ints(axes)] : [x]);
    const x = node.inputs[0]!;
    if (x.dtype !== 'bool' || writer.opset >= 20)
      return writer.node(opType, operands(x), attributes, node.outputs);
    // Truth values have an order only since version 20.
    const extreme = writer.step(
      opType,
      operands(writer.step('Cast', [x], { to: int(dataTypeOf('int32')) })),
      attributes,
    );
    return writer.node('Cast', [extreme], { to: int(dataTypeOf('bool')) }, node.outputs);
  };

const writeArg =
  (opType: string) =>
  (node: Node<typeof ops.ArgMax>, writer: GraphWriter): void =>
    writer.node(
      opType,
      node.inputs,
      {
        axis: int(node.attrs.axis),
        keepdims: int(node.attrs.keepdims),
        select_last_index: int(node.attrs.selectLastIndex),
      },
      node.outputs,
    );

const fromCore = {
  ArgMax: writeArg('ArgMax'),
  ArgMin: writeArg('ArgMin'),
  CumSum: (node, writer) =>
    writer.node(
      'CumSum',
      [node.operands.x, writer.literal('int64', [], [node.attrs.axis])],
      { exclusive: int(node.attrs.exclusive), reverse: int(node.attrs.reverse) },
      node.outputs,
    ),
  ReduceL1: writeReduce('ReduceL1'),
  ReduceL2: writeReduce('ReduceL2'),
  ReduceLogSum: writeReduce('ReduceLogSum'),
  ReduceLogSumExp: writeReduce('ReduceLogSumExp'),
  ReduceMax: writeReduce('ReduceMax'),
  ReduceMean: writeReduce('ReduceMean'),
  ReduceMin: writeReduce('ReduceMin'),
  ReduceProd: writeReduce('ReduceProd'),
  ReduceSum: writeReduce('ReduceSum', 13),
  ReduceSumSquare: writeReduce('ReduceSumSquare'),
  TopK: (node, writer) =>
    writer.node(
      'TopK',
      [
        node.operands.x,
        node.attrs.k === null ? writer.vector(node.operands.k!) : writer.dims(node.attrs.k),
      ],
      {
        axis: int(node.attrs.axis),
        largest: int(node.attrs.largest),
        sorted: int(node.attrs.sorted),
      },
      node.outputs,
    ),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Reductions and what orders or counts along an axis, both directions. */
export const reduction = { toCore, fromCore };
