import { ops, productOf, type Node, type Value } from '@drover/core';
import { gap, isDataDependent, type Gap, type WriteRules } from '@drover/core/format';
import { cast, reshaped, scalarOf } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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

/** Indices that float32 holds exactly. */
const maxFloatIndex = 2 ** 24;

/** MXNet tells places in float32. */
const writeArg =
  (op: string) =>
  (node: Node<typeof ops.ArgMax>, writer: GraphWriter): Gap | void => {
    const { x } = node.operands;
    const { axis, keepdims, selectLastIndex } = node.attrs;
    const size = x.shape?.[axis];
    if (selectLastIndex) return gap('MXNet finds the first of equal elements');
    if (typeof size === 'number' && size > maxFloatIndex)
      return gap('MXNet tells places in float32, which does not hold all of them');
    const index = writer.step(op, [x], { axis, keepdims });
    writer.node('Cast', [index], { dtype: 'int64' }, node.outputs);
  };

function writeCumSum(node: Node<typeof ops.CumSum>, writer: GraphWriter): void {
  const { x } = node.operands;
  const { axis, exclusive, reverse } = node.attrs;
  const from: Operand = reverse ? writer.step('reverse', [x], { axis: [axis] }) : x;
  const sum = writer.step('_np_cumsum', [from], { axis });
  const before: Operand = exclusive ? writer.step('broadcast_sub', [sum, from]) : sum;
  if (reverse) return writer.node('reverse', [before], { axis: [axis] }, node.outputs);
  writer.node('_copy', [before], {}, node.outputs);
}

function writeTopK(node: Node<typeof ops.TopK>, writer: GraphWriter): Gap | void {
  const { x } = node.operands;
  const { axis, largest, k } = node.attrs;
  const count = k?.[0];
  if (typeof count !== 'number')
    return gap('how many elements it takes is not known before the model runs');
  if (count === 0) return gap('MXNet has no empty results');
  writer.node(
    'topk',
    [x],
    { axis, k: count, ret_typ: 'both', is_ascend: !largest, dtype: 'int64' },
    node.outputs,
  );
}

const toCore = {
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
  argmax: readArg(ops.ArgMax),
  argmax_channel: readArgMaxChannel,
  argmin: readArg(ops.ArgMin),
  argsort: (node) => {
    const dtype = node.dtype('dtype');
    return cast(node, ranked(node, 0, node.bool('is_ascend')).indices, dtype, 'number');
  },
  sort: (node) => ranked(node, 0, node.bool('is_ascend')).values,
  topk: readTopK,
} satisfies ReadRules;

const fromCore = {
  ArgMax: writeArg('argmax'),
  ArgMin: writeArg('argmin'),
  CumSum: writeCumSum,
  TopK: writeTopK,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that order or add up along an axis or find places on it, both directions. */
export const ordering = { toCore, fromCore };
