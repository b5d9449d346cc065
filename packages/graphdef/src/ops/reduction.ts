import {
  isFloat,
  ops,
  productOf,
  type Attr,
  type AttrValues,
  type Node,
  type Op,
  type Operand as Slot,
  type Value,
} from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { bool, type as typeAttr } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import { decomposed, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type ReduceAttrs = { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> };
type ReduceOp = Op<{ readonly x: Slot<'one'> }, { readonly y: Slot<'one'> }, ReduceAttrs>;

/** Axes of an operand, sorted and each once. */
function axesOf(node: SourceNode, index: number, rank: number): readonly number[] {
  const axes = new Set(node.constantInts(index).map((axis) => node.axis(axis, rank)));
  return [...axes].sort((a, b) => a - b);
}

const reduce =
  (op: ReduceOp): ToCore =>
  (node) => {
    const x = node.input(0);
    return node.graph.add(
      op,
      { x },
      { axes: axesOf(node, 1, node.rank(x)), keepdims: node.bool('keep_dims', false) },
      node.options,
    ).y;
  };

/** The index of the first largest or smallest element. */
const readArg =
  (op: typeof ops.ArgMax): ToCore =>
  (node) => {
    const x = node.input(0);
    const [axis] = node.constantInts(1);
    const index = node.graph.add(
      op,
      { x },
      { axis: node.axis(axis ?? 0, node.rank(x)), keepdims: false, selectLastIndex: false },
      node.options,
    ).y;
    return node.cast(index, node.dtype('output_type'), 'type');
  };

const readCumSum: ToCore = (node) => {
  const x = node.input(0);
  const [axis] = node.constantInts(1);
  const attrs = {
    axis: node.axis(axis ?? 0, node.rank(x)),
    exclusive: node.bool('exclusive', false),
    reverse: node.bool('reverse', false),
  };
  return node.graph.add(ops.CumSum, { x }, attrs, node.options).y;
};

const readTopK: ToCore = (node) => {
  const [x, k] = [node.input(0), node.input(1)];
  const axis = node.rank(x) - 1;
  const { values, indices } = node.graph.add(
    ops.TopK,
    { x, k },
    { axis, largest: true, sorted: node.bool('sorted', true), k: null },
    node.options,
  );
  return [
    values,
    node.cast(indices, node.has('index_type') ? node.dtype('index_type') : 'int32', 'indices'),
  ];
};

const toCore = {
  All: reduce(ops.ReduceMin),
  Any: reduce(ops.ReduceMax),
  ArgMax: readArg(ops.ArgMax),
  ArgMin: readArg(ops.ArgMin),
  Cumsum: readCumSum,
  EuclideanNorm: reduce(ops.ReduceL2),
  Max: reduce(ops.ReduceMax),
  Mean: reduce(ops.ReduceMean),
  Min: reduce(ops.ReduceMin),
  Prod: reduce(ops.ReduceProd),
  Sum: reduce(ops.ReduceSum),
  TopKV2: readTopK,
} satisfies ReadRules;

const writeReduce =
  (op: string, onBool = op) =>
  (node: Node, writer: GraphWriter): void => {
    const { axes, keepdims } = node.attrs as AttrValues<ReduceAttrs>;
    const [x] = node.inputs as [Value];
    if (axes.length === 0) return writer.set(node.outputs[0]!, writer.ref(x));
    writer.node(
      x.dtype === 'bool' ? onBool : op,
      [x, writer.ints(axes)],
      { keep_dims: bool(keepdims) },
      node.outputs,
    );
  };

/**
 * Dimension `axis` exchanged with the last one, and the exchange itself, which is its own inverse.
 */
function lastFirst(writer: GraphWriter, x: Operand, axis: number, rank: number): Ref {
  if (axis === rank - 1) return writer.ref(x);
  return writer.step('Transpose', [
    x,
    writer.ints(
      Array.from({ length: rank }, (_, i) => (i === axis ? rank - 1 : i === rank - 1 ? axis : i)),
    ),
  ]);
}

const writeArg =
  (op: 'ArgMax' | 'ArgMin') =>
  (node: Node<typeof ops.ArgMax>, writer: GraphWriter): { readonly gap: string } | void => {
    const { x } = node.operands;
    const { axis, keepdims, selectLastIndex } = node.attrs;
    const size = x.shape?.[axis];
    const given = selectLastIndex ? writer.step('ReverseV2', [x, writer.ints([axis])]) : x;
    let index = writer.step(
      op,
      [given, writer.int(axis)],
      { output_type: typeAttr('DT_INT32') },
      'int32',
    );
    if (selectLastIndex) {
      if (size === undefined) return gap('the size along its axis is not known');
      index = writer.step('Sub', [writer.step('Sub', [writer.dim(size), writer.ints([1])]), index]);
    }
    return writer.set(
      node.outputs[0]!,
      keepdims ? writer.step('ExpandDims', [index, writer.int(axis)]) : index,
    );
  };

const fromCore = {
  ArgMax: writeArg('ArgMax'),
  ArgMin: writeArg('ArgMin'),
  CumSum: (node, writer) => {
    const { axis, exclusive, reverse } = node.attrs;
    return writer.node(
      'Cumsum',
      [node.operands.x, writer.int(axis)],
      { exclusive: bool(exclusive), reverse: bool(reverse) },
      node.outputs,
    );
  },
  ReduceL1: decomposed,
  ReduceL2: decomposed,
  ReduceLogSum: decomposed,
  ReduceLogSumExp: decomposed,
  ReduceMax: writeReduce('Max', 'Any'),
  ReduceMean: (node, writer) => {
    const { x } = node.operands;
    if (isFloat(x.dtype)) return writeReduce('Mean')(node, writer);
    // TF.js takes the mean of integers in floats.
    const { axes, keepdims } = node.attrs;
    if (!x.shape) return gap('the rank of its operand is not known');
    const count = writer.dim(productOf(axes.map((axis) => x.shape![axis]!)));
    const sum = writer.step('Sum', [x, writer.ints(axes)], { keep_dims: bool(keepdims) });
    const sign = writer.step('Sign', [sum]);
    const size = writer.step('FloorDiv', [
      writer.step('Abs', [sum]),
      writer.step('Reshape', [count, writer.ints([])]),
    ]);
    return writer.node('Mul', [sign, size], {}, node.outputs);
  },
  ReduceMin: writeReduce('Min', 'All'),
  ReduceProd: writeReduce('Prod'),
  ReduceSum: writeReduce('Sum'),
  ReduceSumSquare: decomposed,
  TopK: (node, writer) => {
    const { x } = node.operands;
    const { axis, largest, sorted, k } = node.attrs;
    const { rank } = x;
    if (rank === undefined) return gap('the rank of its operand is not known');
    const count = k
      ? writer.size(k[0]!)
      : writer.step('Reshape', [writer.cast(node.operands.k!, 'int32'), writer.ints([])]);
    const given = lastFirst(writer, largest ? x : writer.step('Neg', [x]), axis, rank);
    const [values, indices] = writer.steps('TopKV2', [given, count], { sorted: bool(sorted) }, [
      writer.dtype(x),
      'int32',
    ]);
    const found = lastFirst(writer, values!, axis, rank);
    writer.set(node.outputs[0]!, largest ? found : writer.step('Neg', [found]));
    writer.set(node.outputs[1]!, lastFirst(writer, indices!, axis, rank));
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Reductions and what orders or counts along an axis, both directions. */
export const reduction = { toCore, fromCore };
