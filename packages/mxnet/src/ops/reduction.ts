import {
  isDataDependent,
  ops,
  productOf,
  type Attr,
  type DType,
  type Op,
  type Operand,
  type Value,
} from '@drover/core';
import { binary, cast, scalarOf, unary } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { reshaped } from './movement.js';

type ReduceAttrs = { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> };
/** A core reduction. */
export type ReduceOp = Op<
  { readonly x: Operand<'one'> },
  { readonly y: Operand<'one'> },
  ReduceAttrs
>;

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

const excluding = new Set(['sum', 'mean', 'prod', 'nansum', 'nanprod', 'max', 'min']);
const hasExclude = (node: SourceNode): boolean => excluding.has(node.type);

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
        ? node.text('dtype')
        : undefined;
    const initial = node.maybe('initial');
    if (initial !== undefined) throw node.unsupported('it starts from a given value');
    const given = node.input(0);
    const to = (stated ??
      (node.type === '_npi_mean' && /int|bool/.test(given.dtype)
        ? 'float32'
        : given.dtype)) as DType;
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

/** The place of the largest or smallest element: float32, in NumPy mode int64. */
const readArg =
  (op: typeof ops.ArgMax): ToCore =>
  (node) => {
    const stated = node.maybe('axis');
    const shape = node.shape(0);
    const keepdims = node.bool('keepdims');
    const x =
      stated === undefined
        ? reshaped(node, node.input(0), [productOf(shape)], 'flat')
        : node.input(0);
    const axis = stated === undefined ? 0 : node.axisOf(stated, shape.length);
    const isNumpy = node.type.startsWith('_np');
    const { y } = node.graph.add(
      op,
      { x },
      { axis, keepdims: keepdims && stated !== undefined, selectLastIndex: false },
      node.step('index'),
    );
    const number = isNumpy ? y : cast(node, y, 'float32');
    if (stated === undefined && keepdims)
      return reshaped(
        node,
        number,
        shape.map(() => 1),
        'keep',
      );
    const isScalar = !isNumpy && !keepdims && x.shape!.length === 1;
    return isScalar
      ? node.graph.add(ops.Unsqueeze, { x: number }, { axes: [0] }, node.step('one')).y
      : number;
  };

/** The place of the largest element along axis 1, as float32. */
const readArgMaxChannel: ToCore = (node) => {
  const { y } = node.graph.add(
    ops.ArgMax,
    { x: node.input(0) },
    { axis: 1, keepdims: false, selectLastIndex: false },
    node.step('index'),
  );
  return cast(node, y, 'float32');
};

interface Ranking {
  readonly values: Value;
  readonly indices: Value;
  readonly x: Value;
  readonly axis: number;
}

/**
 * The first `count` elements along an axis in order, all of them when `count` is below 1; no axis
 * means all elements in a row.
 */
function ranked(node: SourceNode, count: number, isAscending: boolean): Ranking {
  const stated = node.maybe('axis');
  const shape = node.shape(0);
  const x =
    stated === undefined
      ? reshaped(node, node.input(0), [productOf(shape)], 'flat')
      : node.input(0);
  const axis = stated === undefined ? 0 : node.axisOf(stated, shape.length);
  const k = count < 1 ? x.shape![axis]! : count;
  if (isDataDependent(k)) throw node.unsupported('how many elements it orders depends on data');
  const { values, indices } = node.graph.add(
    ops.TopK,
    { x },
    { axis, largest: !isAscending, sorted: true, k: [k] },
    node.options,
  );
  return { values, indices, x, axis };
}

const readTopK: ToCore = (node) => {
  const kind = node.text('ret_typ');
  const dtype = node.dtype('dtype');
  const { values, indices, x, axis } = ranked(node, node.int('k'), node.bool('is_ascend'));
  if (kind === 'value') return values;
  const numbers = cast(node, indices, dtype, 'number');
  if (kind === 'both') return [values, numbers];
  if (kind === 'indices') return numbers;
  if (x !== node.input(0)) throw node.unsupported('it marks elements of all dimensions');
  const zeros = node.graph.add(
    ops.Expand,
    { x: scalarOf(node, x.dtype, 0) },
    { shape: x.shape! },
    node.step('zeros'),
  ).y;
  const ones = node.graph.add(
    ops.Expand,
    { x: scalarOf(node, x.dtype, 1) },
    { shape: indices.shape! },
    node.step('ones'),
  ).y;
  return node.graph.add(
    ops.ScatterElements,
    { x: zeros, indices, updates: ones },
    { axis, reduction: 'none' },
    node.step('mask'),
  ).y;
};

const toCore = {
  _np_max: readNumpyReduce(ops.ReduceMax),
  _np_min: readNumpyReduce(ops.ReduceMin),
  _np_prod: readNumpyReduce(ops.ReduceProd),
  _np_sum: readNumpyReduce(ops.ReduceSum),
  _np_cumsum: (node) => {
    const axis = node.maybe('axis');
    const dtype = node.text('dtype');
    if (axis === undefined || dtype !== undefined)
      throw node.unsupported('it flattens or changes the element type');
    const attrs = {
      axis: node.axisOf(axis, node.shape(0).length),
      exclusive: false,
      reverse: false,
    };
    return node.graph.add(ops.CumSum, { x: node.input(0) }, attrs, node.options).y;
  },
  _npi_argmax: readArg(ops.ArgMax),
  _npi_argmin: readArg(ops.ArgMin),
  _npi_mean: readNumpyReduce(ops.ReduceMean),
  _npi_std: readVariance(true),
  _npi_var: readVariance(false),
  argmax: readArg(ops.ArgMax),
  argmax_channel: readArgMaxChannel,
  argmin: readArg(ops.ArgMin),
  argsort: (node) => {
    const dtype = node.dtype('dtype');
    return cast(node, ranked(node, 0, node.bool('is_ascend')).indices, dtype, 'number');
  },
  max: readReduce(ops.ReduceMax),
  mean: readReduce(ops.ReduceMean),
  min: readReduce(ops.ReduceMin),
  moments: readMoments,
  nanprod: readNanReduce(ops.ReduceProd, 1),
  nansum: readNanReduce(ops.ReduceSum, 0),
  norm: readNorm,
  prod: readReduce(ops.ReduceProd),
  sort: (node) => ranked(node, 0, node.bool('is_ascend')).values,
  sum: readReduce(ops.ReduceSum),
  topk: readTopK,
} satisfies ReadRules;

/** Reductions and what orders or counts along an axis, both directions. */
export const reduction = { toCore };
