import {
  isFloat,
  isInt,
  ops,
  toNumbers,
  type Node,
  type Op,
  type Operand as Slot,
  type Value,
} from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { float, type Attributes } from '../vocabulary/attribute.js';
import type { GraphWriter, Operand, Ref } from '../vocabulary/graph-writer.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

type NoAttrs = Readonly<Record<never, never>>;
type UnaryOp = Op<{ readonly x: Slot<'one'> }, { readonly y: Slot<'one'> }, NoAttrs>;
type BinaryOp = Op<
  { readonly a: Slot<'one'>; readonly b: Slot<'one'> },
  { readonly y: Slot<'one'> },
  NoAttrs
>;

const unary =
  (op: UnaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { x: node.input(0) }, {}, node.options).y;
const binary =
  (op: BinaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { a: node.input(0), b: node.input(1) }, {}, node.options).y;

/** Negates what a comparison gives. */
const negated =
  (op: BinaryOp): ToCore =>
  (node) => {
    node.ignore('incompatible_shape_error');
    const equal = node.graph.add(
      op,
      { a: node.input(0), b: node.input(1) },
      {},
      node.step('not'),
    ).y;
    return node.graph.add(ops.Not, { x: equal }, {}, node.options).y;
  };

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

/**
 * A bias of one dimension belongs to the channels; the converter of TF.js also turns full additions
 * into BiasAdd, which broadcast as additions do.
 */
export function addBias(
  node: SourceNode,
  x: Value,
  bias: Value,
  isLast: boolean,
  step = node.options,
): Value {
  const rank = x.rank;
  const b =
    !isLast && bias.rank === 1 && rank !== undefined && rank > 2
      ? node.reshaped(bias, [bias.shape![0]!, ...new Array<number>(rank - 2).fill(1)], 'bias')
      : bias;
  return node.graph.add(ops.Add, { a: x, b }, {}, step).y;
}

const readClipByValue: ToCore = (node) => {
  const [x, low, high] = [node.input(0), node.input(1), node.input(2)];
  const bounds = [low, high]
    .map(({ constant }) =>
      constant?.shape.every((dim) => dim === 1) ? constant.peek() : undefined,
    )
    .map((each) => each && toNumbers(each)[0]!);
  if (bounds[0] !== undefined && bounds[1] !== undefined)
    return node.graph.add(ops.Clip, { x }, { min: bounds[0], max: bounds[1] }, node.options).y;
  const raised = node.graph.add(ops.Max, { a: x, b: low }, {}, node.step('low')).y;
  return node.graph.add(ops.Min, { a: raised, b: high }, {}, node.options).y;
};

const readPrelu: ToCore = (node) => prelu(node, node.input(0), node.input(1));

/** Slopes line up with the last dimensions. */
function prelu(node: SourceNode, x: Value, given: Value): Value {
  const missing = (x.rank ?? 0) - (given.rank ?? 0);
  const slope =
    missing > 0 && given.shape
      ? node.reshaped(given, [...new Array<number>(missing).fill(1), ...given.shape], 'slope')
      : given;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
}

/**
 * Select takes a condition of the operands' shape, a scalar, or a vector that chooses whole rows.
 */
const readSelect: ToCore = (node) => {
  const [given, x, y] = [node.input(0), node.input(1), node.input(2)];
  const rank = x.rank ?? y.rank;
  const isRows = given.rank === 1 && rank !== undefined && rank > 1;
  const condition = isRows
    ? node.reshaped(given, [given.shape![0]!, ...new Array<number>(rank - 1).fill(1)], 'rows')
    : given;
  return node.graph.add(ops.Where, { condition, x, y }, {}, node.options).y;
};

const readIsFinite: ToCore = (node) => {
  const x = node.input(0);
  const nan = node.graph.add(ops.IsNaN, { x }, {}, node.step('nan')).y;
  const infinite = node.graph.add(
    ops.IsInf,
    { x },
    { positive: true, negative: true },
    node.step('infinite'),
  ).y;
  return node.graph.add(
    ops.Not,
    { x: node.graph.add(ops.Or, { a: nan, b: infinite }, {}, node.step('or')).y },
    {},
    node.options,
  ).y;
};

const readCast: ToCore = (node) => {
  node.ignore('Truncate');
  const to = node.dtype('DstT');
  const x = node.input(0);
  return x.dtype === to ? x : node.graph.add(ops.Cast, { x }, { to }, node.options).y;
};

/**
 * An activation by the name that fused operators give it. `operand` is what the node states for it:
 * the slopes of Prelu.
 */
export function activate(node: SourceNode, x: Value, name: string, operand: () => Value): Value {
  const { graph, options } = node;
  if (name === 'Relu') return graph.add(ops.Relu, { x }, {}, options).y;
  if (name === 'Relu6') return graph.add(ops.Clip, { x }, { min: 0, max: 6 }, options).y;
  if (name === 'Elu') return graph.add(ops.Elu, { x }, { alpha: 1 }, options).y;
  if (name === 'Sigmoid') return graph.add(ops.Sigmoid, { x }, {}, options).y;
  if (name === 'Tanh') return graph.add(ops.Tanh, { x }, {}, options).y;
  if (name === 'LeakyRelu')
    return graph.add(ops.LeakyRelu, { x }, { alpha: node.float('leakyrelu_alpha', 0.2) }, options)
      .y;
  if (name === 'Prelu') return prelu(node, x, operand());
  if (name === 'GeluExact' || name === 'GeluApproximate')
    return graph.add(
      ops.Gelu,
      { x },
      { approximate: name === 'GeluExact' ? 'none' : 'tanh' },
      options,
    ).y;
  throw node.unsupported(`it fuses ${name}`);
}

const squareOf = (node: SourceNode, x: Value) =>
  node.graph.add(ops.Mul, { a: x, b: x }, {}, node.options).y;

const equal: ToCore = (node) => {
  node.ignore('incompatible_shape_error');
  return binary(ops.Equal)(node);
};

const selu = { alpha: 1.6732632423543772, gamma: 1.0507009873554805 };

const toCore = {
  Abs: unary(ops.Abs),
  Acos: unary(ops.Acos),
  Acosh: unary(ops.Acosh),
  Add: binary(ops.Add),
  AddN: readAddN,
  AddV2: binary(ops.Add),
  Asin: unary(ops.Asin),
  Asinh: unary(ops.Asinh),
  Atan: unary(ops.Atan),
  Atan2: binary(ops.Atan2),
  Atanh: unary(ops.Atanh),
  BitwiseAnd: binary(ops.BitwiseAnd),
  BitwiseOr: binary(ops.BitwiseOr),
  BitwiseXor: binary(ops.BitwiseXor),
  Cast: readCast,
  Ceil: unary(ops.Ceil),
  ClipByValue: readClipByValue,
  Cos: unary(ops.Cos),
  Cosh: unary(ops.Cosh),
  Div: binary(ops.Div),
  DivNoNan: guarded(ops.Div, 1),
  Equal: equal,
  Erf: unary(ops.Erf),
  Exp: unary(ops.Exp),
  Expm1: unary(ops.Expm1),
  Floor: unary(ops.Floor),
  FloorDiv: readFloorDiv,
  FloorMod: readMod('divisor'),
  Greater: binary(ops.Greater),
  GreaterEqual: binary(ops.GreaterOrEqual),
  Inv: unary(ops.Reciprocal),
  Invert: unary(ops.BitwiseNot),
  IsFinite: readIsFinite,
  IsNan: unary(ops.IsNaN),
  Less: binary(ops.Less),
  LessEqual: binary(ops.LessOrEqual),
  Log: unary(ops.Log),
  Log1p: unary(ops.Log1p),
  LogicalAnd: binary(ops.And),
  LogicalNot: unary(ops.Not),
  LogicalOr: binary(ops.Or),
  LogicalXor: binary(ops.Xor),
  Maximum: binary(ops.Max),
  Minimum: binary(ops.Min),
  Mod: readMod('dividend'),
  Mul: binary(ops.Mul),
  Neg: unary(ops.Neg),
  NotEqual: negated(ops.Equal),
  Pow: binary(ops.Pow),
  Prelu: readPrelu,
  RealDiv: binary(ops.Div),
  Reciprocal: unary(ops.Reciprocal),
  Relu: unary(ops.Relu),
  Rint: unary(ops.Round),
  Round: unary(ops.Round),
  Select: readSelect,
  Sigmoid: unary(ops.Sigmoid),
  Sign: unary(ops.Sign),
  Sin: unary(ops.Sin),
  Sinh: unary(ops.Sinh),
  Softplus: unary(ops.Softplus),
  Softsign: unary(ops.Softsign),
  Sqrt: unary(ops.Sqrt),
  Sub: binary(ops.Sub),
  Tan: unary(ops.Tan),
  Tanh: unary(ops.Tanh),
  TruncateDiv: binary(ops.Div),
  TruncateMod: readMod('dividend'),
  Xdivy: guarded(ops.Div, 0),
  BiasAdd: (node) =>
    addBias(node, node.input(0), node.input(1), node.text('data_format', 'NHWC') !== 'NCHW'),
  BiasAddV1: (node) => addBias(node, node.input(0), node.input(1), true),
  Elu: (node) => node.graph.add(ops.Elu, { x: node.input(0) }, { alpha: 1 }, node.options).y,
  IsInf: (node) =>
    node.graph.add(
      ops.IsInf,
      { x: node.input(0) },
      { positive: true, negative: true },
      node.options,
    ).y,
  LeakyRelu: (node) =>
    node.graph.add(
      ops.LeakyRelu,
      { x: node.input(0) },
      { alpha: node.float('alpha') },
      node.options,
    ).y,
  LeftShift: (node) =>
    node.graph.add(
      ops.BitShift,
      { a: node.input(0), b: node.input(1) },
      { direction: 'left' },
      node.options,
    ).y,
  MulNoNan: guarded(ops.Mul, 1),
  Relu6: (node) =>
    node.graph.add(ops.Clip, { x: node.input(0) }, { min: 0, max: 6 }, node.options).y,
  RightShift: (node) =>
    node.graph.add(
      ops.BitShift,
      { a: node.input(0), b: node.input(1) },
      { direction: 'right' },
      node.options,
    ).y,
  Rsqrt: (node) =>
    node.graph.add(
      ops.Reciprocal,
      { x: node.graph.add(ops.Sqrt, { x: node.input(0) }, {}, node.step('sqrt')).y },
      {},
      node.options,
    ).y,
  SelectV2: (node) =>
    node.graph.add(
      ops.Where,
      { condition: node.input(0), x: node.input(1), y: node.input(2) },
      {},
      node.options,
    ).y,
  Selu: (node) => node.graph.add(ops.Selu, { x: node.input(0) }, selu, node.options).y,
  Square: (node) => squareOf(node, node.input(0)),
  SquaredDifference: (node) =>
    squareOf(
      node,
      node.graph.add(ops.Sub, { a: node.input(0), b: node.input(1) }, {}, node.step('difference'))
        .y,
    ),
  Xlogy: guarded(
    ops.Mul,
    0,
    (node, b) => node.graph.add(ops.Log, { x: b }, {}, node.step('log')).y,
  ),
} satisfies ReadRules;

/** Writes operands in order under one operator name. */
const plain =
  (op: string, attributes: Attributes = {}) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(op, node.inputs as Value[], attributes, node.outputs);

/** The quotient of integers, rounded towards zero: TF.js rounds every quotient of integers down. */
function truncatedQuotient(writer: GraphWriter, a: Operand, b: Operand): Ref {
  const [sizeA, sizeB] = [writer.step('Abs', [a]), writer.step('Abs', [b])];
  const sign = writer.step('Mul', [writer.step('Sign', [a]), writer.step('Sign', [b])]);
  return writer.step('Mul', [sign, writer.step('FloorDiv', [sizeA, sizeB])]);
}

const bitwise = gap('TensorFlow.js has no operators on bits');
const decomposed = gap('it is written in simpler operators');

/** Widths below 32 bits wrap round when integers are cast to them; the target computes in 32. */
function wrapped(writer: GraphWriter, x: Ref, dtype: string): Ref {
  const bits = Number(/\d+$/.exec(dtype)?.[0] ?? 32);
  if (bits >= 32) return x;
  const half = dtype.startsWith('u') ? 0 : 2 ** (bits - 1);
  const rest = writer.step('FloorMod', [
    writer.step('AddV2', [x, writer.scalar(x, half)]),
    writer.scalar(x, 2 ** bits),
  ]);
  return writer.step('Sub', [rest, writer.scalar(x, half)]);
}

const fromCore = {
  Abs: plain('Abs'),
  Acos: plain('Acos'),
  Acosh: plain('Acosh'),
  Add: plain('AddV2'),
  And: plain('LogicalAnd'),
  Asin: plain('Asin'),
  Asinh: plain('Asinh'),
  Atan: plain('Atan'),
  Atan2: plain('Atan2'),
  Atanh: plain('Atanh'),
  BitShift: bitwise,
  BitwiseAnd: bitwise,
  BitwiseNot: bitwise,
  BitwiseOr: bitwise,
  BitwiseXor: bitwise,
  Ceil: plain('Ceil'),
  Celu: decomposed,
  Cos: plain('Cos'),
  Cosh: plain('Cosh'),
  Equal: plain('Equal'),
  Erf: plain('Erf'),
  Exp: plain('Exp'),
  Expm1: plain('Expm1'),
  Floor: plain('Floor'),
  Gelu: decomposed,
  Greater: plain('Greater'),
  GreaterOrEqual: plain('GreaterEqual'),
  HardSigmoid: decomposed,
  HardSwish: decomposed,
  IsNaN: plain('IsNan'),
  Less: plain('Less'),
  LessOrEqual: plain('LessEqual'),
  Log: plain('Log'),
  Log1p: plain('Log1p'),
  Max: plain('Maximum'),
  Min: plain('Minimum'),
  Mish: decomposed,
  Mul: plain('Mul'),
  Neg: plain('Neg'),
  Not: plain('LogicalNot'),
  Or: plain('LogicalOr'),
  PRelu: decomposed,
  Pow: plain('Pow'),
  Reciprocal: plain('Reciprocal'),
  Relu: plain('Relu'),
  Round: plain('Round'),
  Sigmoid: plain('Sigmoid'),
  Sign: plain('Sign'),
  Sin: plain('Sin'),
  Sinh: plain('Sinh'),
  Softplus: plain('Softplus'),
  Softsign: decomposed,
  Sqrt: plain('Sqrt'),
  Sub: plain('Sub'),
  Tan: plain('Tan'),
  Tanh: plain('Tanh'),
  ThresholdedRelu: decomposed,
  Where: plain('SelectV2'),
  Xor: plain('NotEqual'),
  Cast: (node, writer) => {
    const { x } = node.operands;
    const { to } = node.attrs;
    const cast = writer.cast(x, to);
    const narrows =
      isInt(to) &&
      to !== writer.typeOf(to) &&
      !/64$/.test(to) &&
      x.dtype !== 'bool' &&
      !isFloat(x.dtype);
    writer.set(node.outputs[0]!, narrows ? wrapped(writer, cast, to) : cast);
  },
  Clip: (node, writer) => {
    const { x } = node.operands;
    const { min, max } = node.attrs;
    if (min === 0 && max === 6 && isFloat(x.dtype))
      return writer.node('Relu6', [x], {}, node.outputs);
    if (min === null && max === null) return writer.set(node.outputs[0]!, writer.ref(x));
    if (max === null) return writer.node('Maximum', [x, writer.scalar(x, min!)], {}, node.outputs);
    // Bounds of ClipByValue must be in order in TF.js; core lets the upper one win.
    const raised = min === null ? x : writer.step('Maximum', [x, writer.scalar(x, min)]);
    return writer.node('Minimum', [raised, writer.scalar(x, max)], {}, node.outputs);
  },
  Div: (node, writer) => {
    const { a, b } = node.operands;
    if (isFloat(a.dtype)) return writer.node('RealDiv', [a, b], {}, node.outputs);
    if (writer.isNeverNegative(a) && writer.isNeverNegative(b))
      return writer.node('FloorDiv', [a, b], {}, node.outputs);
    return writer.set(node.outputs[0]!, truncatedQuotient(writer, a, b));
  },
  Elu: (node, writer) => {
    const { x } = node.operands;
    if (node.attrs.alpha === 1) return writer.node('Elu', [x], {}, node.outputs);
    const below = writer.step('Mul', [
      writer.step('Expm1', [writer.step('Minimum', [x, writer.scalar(x, 0)])]),
      writer.scalar(x, node.attrs.alpha),
    ]);
    return writer.node('AddV2', [writer.step('Relu', [x]), below], {}, node.outputs);
  },
  IsInf: (node, writer) => {
    const { x } = node.operands;
    const { positive, negative } = node.attrs;
    if (positive && negative) return writer.node('IsInf', [x], {}, node.outputs);
    const isOn = writer.step(positive ? 'Greater' : 'Less', [x, writer.scalar(x, 0)], {}, 'bool');
    const none = writer.step('LogicalAnd', [
      writer.step('IsInf', [x], {}, 'bool'),
      positive || negative ? isOn : writer.literal('bool', [], [0]),
    ]);
    return writer.set(node.outputs[0]!, none);
  },
  LeakyRelu: (node, writer) =>
    writer.node('LeakyRelu', [node.operands.x], { alpha: float(node.attrs.alpha) }, node.outputs),
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
  Selu: (node, writer) => {
    const { x } = node.operands;
    const { alpha, gamma } = node.attrs;
    const close = (a: number, b: number) => Math.fround(a) === Math.fround(b);
    if (close(alpha, selu.alpha) && close(gamma, selu.gamma))
      return writer.node('Selu', [x], {}, node.outputs);
    const below = writer.step('Mul', [
      writer.step('Expm1', [writer.step('Minimum', [x, writer.scalar(x, 0)])]),
      writer.scalar(x, alpha * gamma),
    ]);
    return writer.node(
      'AddV2',
      [writer.step('Mul', [writer.step('Relu', [x]), writer.scalar(x, gamma)]), below],
      {},
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Elementwise operators, both directions. */
export const elementwise = { toCore, fromCore };
