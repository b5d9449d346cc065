import {
  gap,
  isFloat,
  type Attr,
  type AttrValues,
  type Gap,
  type Node,
  type ops,
  type Value,
  type WriteRules,
} from '@drover/core';
import { heldType, type GraphWriter, type Operand } from '../vocabulary/graph-writer.js';

type ReduceAttrs = { readonly axes: Attr<readonly number[]>; readonly keepdims: Attr<boolean> };

/** Indices that float32 holds exactly. */
const maxFloatIndex = 2 ** 24;

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

/** Scales and zero points of one axis, laid along it. */
function along(writer: GraphWriter, value: Value, axis: number | null, rank: number): Operand {
  if (axis === null || value.rank !== 1) return value;
  return writer.reshape(
    value,
    value.shape!,
    Array.from({ length: rank }, (_, i) => (i === axis ? value.shape![0]! : 1)),
  )!;
}

/** (x - zero point) * scale; in the type of the scale. */
function writeDequantize(node: Node<typeof ops.DequantizeLinear>, writer: GraphWriter): Gap | void {
  const { x, scale, zeroPoint } = node.operands;
  const { axis, blockSize } = node.attrs;
  if (blockSize !== 0) return gap('MXNet does not scale by blocks');
  if (x.rank === undefined) return gap('the rank of its operand is not known');
  const dtype = heldType(scale.dtype);
  const codes = writer.cast(x, x.dtype, dtype);
  const moved = zeroPoint
    ? writer.step('broadcast_sub', [
        codes,
        writer.cast(along(writer, zeroPoint, axis, x.rank), zeroPoint.dtype, dtype),
      ])
    : codes;
  writer.node('broadcast_mul', [moved, along(writer, scale, axis, x.rank)], {}, node.outputs);
}

const ranges: Readonly<Record<string, readonly [number, number]>> = {
  int8: [-128, 127],
  uint8: [0, 255],
};

/** Rounded to even, moved by the zero point and held within the type. */
function writeQuantize(node: Node<typeof ops.QuantizeLinear>, writer: GraphWriter): Gap | void {
  const { x, scale, zeroPoint } = node.operands;
  const { axis, blockSize, to } = node.attrs;
  const range = ranges[to];
  if (blockSize !== 0) return gap('MXNet does not scale by blocks');
  if (!range) return gap(`MXNet has no ${to}`);
  if (x.rank === undefined) return gap('the rank of its operand is not known');
  const from = writer.cast(x, x.dtype, scale.dtype);
  const rounded = writer.step('_npi_around', [
    writer.step('broadcast_div', [from, along(writer, scale, axis, x.rank)]),
  ]);
  const moved = zeroPoint
    ? writer.step('broadcast_add', [
        rounded,
        writer.cast(along(writer, zeroPoint, axis, x.rank), zeroPoint.dtype, scale.dtype),
      ])
    : rounded;
  writer.node(
    'Cast',
    [writer.step('clip', [moved], { a_min: range[0], a_max: range[1] })],
    { dtype: to },
    node.outputs,
  );
}

const decomposed = gap('it is written in simpler operators');

/** Writing of reductions, of what orders or counts along an axis, and of quantisation. */
export const writeReduction = {
  ArgMax: writeArg('argmax'),
  ArgMin: writeArg('argmin'),
  CumSum: writeCumSum,
  DequantizeLinear: writeDequantize,
  QuantizeLinear: writeQuantize,
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
  TopK: writeTopK,
} satisfies Partial<WriteRules<GraphWriter>>;
