import { isFloat, ops, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import { binary, plain, type BinaryOp } from '../vocabulary/one-to-one.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { addBias } from './fused.js';

/** TensorFlow's Div truncates integers, as core does; FloorDiv rounds down. */
const readFloorDiv: ToCore = (node) => {
  const [a, b] = [node.input(0), node.input(1)];
  if (isFloat(a.dtype)) {
    const quotient = node.graph.add(ops.Div, { a, b }, {}, node.step('quotient')).y;
    return node.graph.add(ops.Floor, { x: quotient }, {}, node.options).y;
  }
  const rest = node.graph.add(ops.Mod, { a, b }, { sign: 'divisor' }, node.step('rest')).y;
  const multiple = node.graph.add(ops.Sub, { a, b: rest }, {}, node.step('multiple')).y;
  return node.graph.add(ops.Div, { a: multiple, b }, {}, node.options).y;
};

const readMod =
  (sign: 'divisor' | 'dividend'): ToCore =>
  (node) =>
    node.graph.add(ops.Mod, { a: node.input(0), b: node.input(1) }, { sign }, node.options).y;

/** `a op b` where the guard is not zero, and zero where it is. */
const guarded =
  (op: BinaryOp, guard: 0 | 1, map: (node: SourceNode, b: Value) => Value = (_, b) => b): ToCore =>
  (node) => {
    const [a, b] = [node.input(0), node.input(1)];
    const zero = node.scalar(a, 0);
    const isZero = node.graph.add(
      ops.Equal,
      { a: guard === 0 ? a : b, b: zero },
      {},
      node.step('is_zero'),
    ).y;
    const value = node.graph.add(op, { a, b: map(node, b) }, {}, node.step('value')).y;
    return node.graph.add(ops.Where, { condition: isZero, x: zero, y: value }, {}, node.options).y;
  };

const readAddN: ToCore = (node) => {
  const [first, ...rest] = node.inputs();
  if (!first) throw node.unsupported('it has no operands');
  return rest.reduce(
    (a, b, i) =>
      node.graph.add(
        ops.Add,
        { a, b },
        {},
        i === rest.length - 1 ? node.options : node.step(String(i)),
      ).y,
    first,
  );
};

const squareOf = (node: SourceNode, x: Value) =>
  node.graph.add(ops.Mul, { a: x, b: x }, {}, node.options).y;

const toCore = {
  Add: binary(ops.Add),
  AddN: readAddN,
  AddV2: binary(ops.Add),
  BiasAdd: (node) =>
    addBias(node, node.input(0), node.input(1), node.text('data_format', 'NHWC') !== 'NCHW'),
  BiasAddV1: (node) => addBias(node, node.input(0), node.input(1), true),
  Div: binary(ops.Div),
  DivNoNan: guarded(ops.Div, 1),
  FloorDiv: readFloorDiv,
  FloorMod: readMod('divisor'),
  Maximum: binary(ops.Max),
  Minimum: binary(ops.Min),
  Mod: readMod('dividend'),
  Mul: binary(ops.Mul),
  MulNoNan: guarded(ops.Mul, 1),
  Pow: binary(ops.Pow),
  RealDiv: binary(ops.Div),
  Square: (node) => squareOf(node, node.input(0)),
  SquaredDifference: (node) =>
    squareOf(
      node,
      node.graph.add(ops.Sub, { a: node.input(0), b: node.input(1) }, {}, node.step('difference'))
        .y,
    ),
  Sub: binary(ops.Sub),
  TruncateDiv: binary(ops.Div),
  TruncateMod: readMod('dividend'),
  Xdivy: guarded(ops.Div, 0),
  Xlogy: guarded(
    ops.Mul,
    0,
    (node, b) => node.graph.add(ops.Log, { x: b }, {}, node.step('log')).y,
  ),
} satisfies ReadRules;

/** The quotient of integers, rounded towards zero: TF.js rounds every quotient of integers down. */
function truncatedQuotient(writer: GraphWriter, a: Operand, b: Operand): Ref {
  const [sizeA, sizeB] = [writer.step('Abs', [a]), writer.step('Abs', [b])];
  const sign = writer.step('Mul', [writer.step('Sign', [a]), writer.step('Sign', [b])]);
  return writer.step('Mul', [sign, writer.step('FloorDiv', [sizeA, sizeB])]);
}

const fromCore = {
  Add: plain('AddV2'),
  Div: (node, writer) => {
    const { a, b } = node.operands;
    if (isFloat(a.dtype)) return writer.node('RealDiv', [a, b], {}, node.outputs);
    if (writer.isNeverNegative(a) && writer.isNeverNegative(b))
      return writer.node('FloorDiv', [a, b], {}, node.outputs);
    return writer.set(node.outputs[0]!, truncatedQuotient(writer, a, b));
  },
  Max: plain('Maximum'),
  Min: plain('Minimum'),
  Mod: (node, writer) => {
    const { a, b } = node.operands;
    if (node.attrs.sign === 'divisor') return writer.node('FloorMod', [a, b], {}, node.outputs);
    const quotient = (): Ref => {
      if (!isFloat(a.dtype)) return truncatedQuotient(writer, a, b);
      const exact = writer.step('RealDiv', [a, b]);
      return writer.step('Mul', [
        writer.step('Sign', [exact]),
        writer.step('Floor', [writer.step('Abs', [exact])]),
      ]);
    };
    return writer.node('Sub', [a, writer.step('Mul', [quotient(), b])], {}, node.outputs);
  },
  Mul: plain('Mul'),
  Pow: plain('Pow'),
  Sub: plain('Sub'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Arithmetic of two operands, both directions. */
export const arithmetic = { toCore, fromCore };
