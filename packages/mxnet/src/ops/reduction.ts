import {
  isFloat,
  ops,
  type Attr,
  type AttrValues,
  type Node,
  type Op,
  type Operand,
  type Value,
} from '@drover/core';
import { gap, type Gap, type WriteRules } from '@drover/core/format';
import { binary, cast, scalarOf, unary } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { decomposed, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type ReduceAttrs = { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> };

/** A core reduction. */
type ReduceOp = Op<{ readonly x: Operand<'one'> }, { readonly y: Operand<'one'> }, ReduceAttrs>;

const excluding = new Set(['sum', 'mean', 'prod', 'nansum', 'nanprod', 'max', 'min']);

const hasExclude = (node: SourceNode): boolean => excluding.has(node.type);

/** The axes that a node reduces: none stated means all, `exclude` the others. */
function axesOf(node: SourceNode, attribute = 'axis'): readonly number[] {
  const rank = node.shape(0).length;
  const all = Array.from({ length: rank }, (_, i) => i);
  const stated = node.ints(attribute);
  if (stated === undefined || stated.length === 0) return all;
  const axes = [...new Set(stated.map((axis) => node.axisOf(axis, rank)))].sort((a, b) => a - b);
  return hasExclude(node) && node.bool('exclude')
    ? all.filter((axis) => !axes.includes(axis))
    : axes;
}

/** A reduction; legacy operators have no scalars, so reducing every dimension gives [1]. */
function reduce(
  node: SourceNode,
  op: ReduceOp,
  x: Value,
  axes: readonly number[],
  keepdims: boolean,
): Value {
  const becomesScalar =
    !keepdims && axes.length === node.shape(0).length && !node.type.startsWith('_np');
  const { y } = node.graph.add(
    op,
    { x },
    { axes, keepdims },
    becomesScalar ? node.step('all') : node.options,
  );
  return becomesScalar ? node.graph.add(ops.Unsqueeze, { x: y }, { axes: [0] }, node.options).y : y;
}

const readReduce =
  (op: ReduceOp): ToCore =>
  (node) => {
    const x = node.input(0);
    return reduce(node, op, x, axesOf(node), node.bool('keepdims'));
  };

/** NumPy's sum and mean may state the type of the result; the mean of integers is float32. */
const readNumpyReduce =
  (op: ReduceOp): ToCore =>
  (node) => {
    const stated =
      node.type === '_npi_mean' || node.type === '_np_sum' || node.type === '_np_prod'
        ? node.maybeDtype('dtype')
        : undefined;
    const initial = node.maybe('initial');
    if (initial !== undefined) throw node.unsupported('it starts from a given value');
    const given = node.input(0);
    const isWidened = node.type === '_npi_mean' && /int|bool/.test(given.dtype);
    const to = stated ?? (isWidened ? 'float32' : given.dtype);
    return reduce(node, op, cast(node, given, to, 'cast'), axesOf(node), node.bool('keepdims'));
  };

/** NaN counts as the neutral element. */
const readNanReduce =
  (op: ReduceOp, neutral: number): ToCore =>
  (node) => {
    const x = node.input(0);
    const condition = unary(node, ops.IsNaN, x, 'is_nan');
    const clean = node.graph.add(
      ops.Where,
      { condition, x: scalarOf(node, x.dtype, neutral), y: x },
      {},
      node.step('clean'),
    ).y;
    return reduce(node, op, clean, axesOf(node), node.bool('keepdims'));
  };

const readNorm: ToCore = (node) => {
  const order = node.int('ord');
  if (node.text('out_dtype') !== undefined) throw node.unsupported('it changes the element type');
  if (order !== 1 && order !== 2) throw node.unsupported(`its order is ${order}`);
  return reduce(
    node,
    order === 1 ? ops.ReduceL1 : ops.ReduceL2,
    node.input(0),
    axesOf(node),
    node.bool('keepdims'),
  );
};

const readVariance =
  (isDeviation: boolean): ToCore =>
  (node) => {
    const x = node.input(0);
    const [axes, keepdims] = [axesOf(node), node.bool('keepdims')];
    if (node.int('ddof') !== 0)
      throw node.unsupported('it divides by less than the number of elements');
    if (node.text('dtype') !== undefined) throw node.unsupported('it changes the element type');
    const mean = node.graph.add(
      ops.ReduceMean,
      { x },
      { axes, keepdims: true },
      node.step('mean'),
    ).y;
    const centred = binary(node, ops.Sub, x, mean, 'centre');
    const square = binary(node, ops.Mul, centred, centred, 'square');
    const variance = node.graph.add(
      ops.ReduceMean,
      { x: square },
      { axes, keepdims },
      isDeviation ? node.step('variance') : node.options,
    ).y;
    return isDeviation ? unary(node, ops.Sqrt, variance) : variance;
  };

const readMoments: ToCore = (node) => {
  const x = node.input(0);
  const [axes, keepdims] = [axesOf(node, 'axes'), node.bool('keepdims')];
  const mean = node.graph.add(ops.ReduceMean, { x }, { axes, keepdims: true }, node.step('mean')).y;
  const centred = binary(node, ops.Sub, x, mean, 'centre');
  const variance = reduce(
    node,
    ops.ReduceMean,
    binary(node, ops.Mul, centred, centred, 'square'),
    axes,
    keepdims,
  );
  return [keepdims ? mean : reduce(node, ops.ReduceMean, x, axes, keepdims), variance];
};

const writeReduce =
  (op: string) =>
  (node: Node, writer: GraphWriter): Gap | void => {
    const { axes, keepdims } = node.attrs as AttrValues<ReduceAttrs>;
    const x = node.inputs[0]!;
    // An empty list means all axes in MXNet.
    if (axes.length === 0 || x.rank === 0) return writer.node('_copy', [x], {}, node.outputs);
    if (op === 'mean' && !isFloat(x.dtype))
      return gap('MXNet rounds the mean of integers in its own way');
    writer.node(op, [x], { axis: axes, keepdims }, node.outputs);
  };

const toCore = {
  _np_max: readNumpyReduce(ops.ReduceMax),
  _np_min: readNumpyReduce(ops.ReduceMin),
  _np_prod: readNumpyReduce(ops.ReduceProd),
  _np_sum: readNumpyReduce(ops.ReduceSum),
  _npi_mean: readNumpyReduce(ops.ReduceMean),
  _npi_std: readVariance(true),
  _npi_var: readVariance(false),
  max: readReduce(ops.ReduceMax),
  mean: readReduce(ops.ReduceMean),
  min: readReduce(ops.ReduceMin),
  moments: readMoments,
  nanprod: readNanReduce(ops.ReduceProd, 1),
  nansum: readNanReduce(ops.ReduceSum, 0),
  norm: readNorm,
  prod: readReduce(ops.ReduceProd),
  sum: readReduce(ops.ReduceSum),
} satisfies ReadRules;

const fromCore = {
  ReduceL1: decomposed,
  ReduceL2: decomposed,
  ReduceLogSum: decomposed,
  ReduceLogSumExp: decomposed,
  ReduceMax: (node, writer) => writeReduce('max')(node as Node, writer),
  ReduceMean: (node, writer) => writeReduce('mean')(node as Node, writer),
  ReduceMin: (node, writer) => writeReduce('min')(node as Node, writer),
  ReduceProd: (node, writer) => writeReduce('prod')(node as Node, writer),
  ReduceSum: (node, writer) => writeReduce('sum')(node as Node, writer),
  ReduceSumSquare: decomposed,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Reductions, both directions. */
export const reduction = { toCore, fromCore };
