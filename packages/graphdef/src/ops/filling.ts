import { isStatic, ops, type Dim, type DType, type Shape, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import { shapeOf } from '../vocabulary/shape.js';
import type { SourceNode } from '../vocabulary/source-node.js';

const expand = (node: SourceNode, value: Value, shape: Value): Value =>
  node.graph.add(ops.Expand, { x: value, shape }, { shape: null }, node.options).y;

/** A tensor of one repeated number in the shape and type of another. */
const filledLike =
  (value: number): ToCore =>
  (node) => {
    const x = node.input(0);
    const literal = node.scalar(x, value);
    if (x.shape)
      return node.graph.add(ops.Expand, { x: literal }, { shape: x.shape }, node.options).y;
    return expand(node, literal, shapeOf(node, x));
  };

const readLinSpace: ToCore = (node) => {
  const [start, stop] = [node.input(0), node.input(1)];
  const [count] = node.constantInts(2);
  if (count === undefined || count < 1)
    throw node.unsupported('how many elements it makes is not known');
  const steps = node.graph.literal(
    start.dtype,
    [count],
    Array.from({ length: count }, (_, i) => (count === 1 ? 0 : i / (count - 1))),
  );
  const range = node.graph.add(ops.Sub, { a: stop, b: start }, {}, node.step('range')).y;
  const offsets = node.graph.add(ops.Mul, { a: range, b: steps }, {}, node.step('offsets')).y;
  return node.graph.add(ops.Add, { a: start, b: offsets }, {}, node.options).y;
};

/** A band of diagonals: what lies above its upper end and below its lower end is zero. */
const readBand: ToCore = (node) => {
  const x = node.input(0);
  const [below, above] = [node.constantInts(1)[0] ?? -1, node.constantInts(2)[0] ?? -1];
  const upper =
    below < 0
      ? x
      : node.graph.add(ops.Trilu, { x }, { upper: true, k: -below }, node.step('upper')).y;
  return above < 0
    ? upper
    : node.graph.add(ops.Trilu, { x: upper }, { upper: false, k: above }, node.options).y;
};

const toCore = {
  BroadcastTo: (node) => expand(node, node.input(0), node.input(1)),
  Fill: (node) => expand(node, node.input(1), node.input(0)),
  LinSpace: readLinSpace,
  MatrixBandPart: readBand,
  OnesLike: filledLike(1),
  Range: (node) =>
    node.graph.add(
      ops.Range,
      { start: node.input(0), limit: node.input(1), delta: node.input(2) },
      {},
      node.options,
    ).y,
  Tile: (node) =>
    node.graph.add(
      ops.Tile,
      { x: node.input(0), repeats: node.input(1) },
      { repeats: null },
      node.options,
    ).y,
  ZerosLike: filledLike(0),
} satisfies ReadRules;

/** Dimensions as an operand: the attribute's, or the operand itself where they depend on data. */
function dimsOperand(writer: GraphWriter, dims: Shape | null, operand: Value | undefined): Ref {
  return dims === null ? writer.cast(operand!, 'int32') : writer.dims(dims);
}

/** A mask of one triangle: rows against columns. */
function triangle(writer: GraphWriter, rows: Dim, columns: Dim, upper: boolean, k: number): Ref {
  const range = (size: Dim, axis: number): Ref => {
    const numbers = writer.step('Range', [writer.int(0), writer.size(size), writer.int(1)]);
    return writer.step('ExpandDims', [numbers, writer.int(axis)]);
  };
  const distance = writer.step('Sub', [range(columns, 0), range(rows, 1)]);
  return writer.step(upper ? 'GreaterEqual' : 'LessEqual', [distance, writer.int(k)], {}, 'bool');
}

/** Whether TF.js can hold a type's elements in a scalar of that dtype. */
const zeroOf = (writer: GraphWriter, x: Operand, dtype: DType): Ref =>
  dtype === 'bool' ? writer.literal('bool', [], [0]) : writer.scalar(x, 0);

const fromCore = {
  Expand: (node, writer) => {
    const { x, shape } = node.operands;
    const result = node.outputs[0]!.shape;
    if (result && writer.canCompute(result))
      return writer.node('BroadcastTo', [x, writer.dims(result)], {}, node.outputs);
    const target = node.attrs.shape ? writer.dims(node.attrs.shape) : writer.cast(shape!, 'int32');
    const whole =
      x.shape && isStatic(x.shape) && x.shape.every((dim) => dim === 1)
        ? target
        : writer.step('BroadcastArgs', [writer.shapeOf(x), target], {}, 'int32');
    return writer.node('BroadcastTo', [x, whole], {}, node.outputs);
  },
  Range: (node, writer) => {
    const scalars = (node.inputs as Value[]).map((each) =>
      each.rank === 0 ? each : writer.step('Reshape', [each, writer.ints([])]),
    );
    return writer.node('Range', scalars, {}, node.outputs);
  },
  Tile: (node, writer) =>
    writer.node(
      'Tile',
      [node.operands.x, dimsOperand(writer, node.attrs.repeats, node.operands.repeats)],
      {},
      node.outputs,
    ),
  Trilu: (node, writer) => {
    const { x } = node.operands;
    if (!x.shape) return gap('the rank of its operand is not known');
    const mask = triangle(writer, x.shape.at(-2)!, x.shape.at(-1)!, node.attrs.upper, node.attrs.k);
    return writer.node('SelectV2', [mask, x, zeroOf(writer, x, x.dtype)], {}, node.outputs);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators that repeat elements or fill shapes, both directions. */
export const filling = { toCore, fromCore };
