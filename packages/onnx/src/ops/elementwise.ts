import { isFloat, ops, toNumbers, type Graph, type Node, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { dataTypeOf, dtypeOf } from '../codec/data-type.js';
import { float, int, text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose, type BinaryOp, type UnaryOp } from '../vocabulary/compose.js';
import { always, versions, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

const readUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { x: node.input(0) }, {}, node.options).y;

/**
 * Before version 7 the second operand was lined up by an `axis`; such models are refused by the
 * operator set range.
 */
const readBinary =
  (op: BinaryOp): ToCore =>
  (node) =>
    node.graph.add(op, { a: node.input(0), b: node.input(1) }, {}, node.options).y;

/** Operators that take any number of operands: the sum, least or largest of all. */
function combineAll(node: SourceNode, op: BinaryOp): Value {
  const [first, ...rest] = node.inputs();
  if (!first) throw node.unsupported('it has no operands');
  return rest.reduce(
    (a, b, i) =>
      node.graph.add(op, { a, b }, {}, i === rest.length - 1 ? node.options : node.step(String(i)))
        .y,
    first,
  );
}

/**
 * Pow takes an exponent of another type from version 12 on; the result has the type of the base.
 */
const readPow: ToCore = (node) => {
  const [a, exponent] = [node.input(0), node.input(1)];
  const b = exponent.dtype === a.dtype ? exponent : castTo(node.graph, exponent, a.dtype, node);
  if (!isFloat(a.dtype) && isFloat(exponent.dtype)) {
    const wide = node.graph.add(
      ops.Pow,
      { a: castTo(node.graph, a, exponent.dtype, node), b: exponent },
      {},
      node.step('pow'),
    ).y;
    return node.graph.add(ops.Cast, { x: wide }, { to: a.dtype }, node.options).y;
  }
  return node.graph.add(ops.Pow, { a, b }, {}, node.options).y;
};

function castTo(graph: Graph, x: Value, to: Value['dtype'], node: SourceNode): Value {
  if (x.constant) return graph.constant(x.constant.cast(to), x.name, x.origin);
  return graph.add(ops.Cast, { x }, { to }, node.step('cast')).y;
}

/**
 * A bound of Clip: a number, 'data' when it is no constant or none that a number holds exactly, or
 * null when there is none.
 */
function bound(node: SourceNode, index: number): number | 'data' | null {
  const value = node.optional(index);
  if (!value) return null;
  const elements = value.constant?.peek();
  const limit = elements && toNumbers(elements)[0];
  const isPlain =
    limit !== undefined &&
    (isFloat(value.dtype) ? !Number.isNaN(limit) : Number.isSafeInteger(limit));
  return isPlain ? limit : 'data';
}

const readClip: ToCore = (node) => {
  const [low, high] = [bound(node, 1), bound(node, 2)];
  let x = node.input(0);
  // Bounds that depend on data: the lower first, so that min > max gives max, as the specification
  // has it.
  if (low === 'data')
    x = node.graph.add(ops.Max, { a: x, b: node.input(1) }, {}, node.step('max')).y;
  else if (low !== null)
    x = node.graph.add(
      ops.Clip,
      { x },
      { min: low, max: high === 'data' ? null : high },
      node.options,
    ).y;
  if (high === 'data')
    return node.graph.add(ops.Min, { a: x, b: node.input(2) }, {}, node.options).y;
  return low === null || low === 'data'
    ? high === null
      ? x
      : node.graph.add(ops.Clip, { x }, { min: null, max: high }, node.options).y
    : x;
};

/** Core's conversions to 8-bit floats saturate, as ONNX's do unless told otherwise. */
function checkSaturation(node: SourceNode, to: Value['dtype']): void {
  if (node.int('saturate', 1) === 0 && to.startsWith('float8'))
    throw node.unsupported('its result overflows to infinity or NaN (saturate=0)');
  if (node.text('round_mode', 'up') !== 'up' && to === 'float8e8m0fnu')
    throw node.unsupported('it does not round up');
}

const readCast: ToCore = (node) => {
  const to = dtypeOf(node.int('to'));
  if (!to) throw node.unsupported('its target type is unknown');
  checkSaturation(node, to);
  const x = node.input(0);
  return x.dtype === to ? x : node.graph.add(ops.Cast, { x }, { to }, node.options).y;
};

/**
 * A slope of rank below the operand's lines up at the end, as everywhere in ONNX; PyTorch's
 * exporters write [C, 1, 1].
 */
const readPRelu: ToCore = (node) => {
  const [x, given] = [node.input(0), node.input(1)];
  const missing = (x.rank ?? 0) - (given.rank ?? 0);
  if (missing <= 0 || !given.rank)
    return node.graph.add(ops.PRelu, { x, slope: given }, {}, node.options).y;
  const slope = given.constant
    ? node.graph.constant(
        given.constant.reshape([...new Array<number>(missing).fill(1), ...given.constant.shape]),
        given.name,
        given.origin,
      )
    : node.graph.add(
        ops.Unsqueeze,
        { x: given },
        { axes: Array.from({ length: missing }, (_, i) => i) },
        node.step('slope'),
      ).y;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
};

/** x * sigmoid(alpha * x), times a second operand where there is one. */
function swish(node: SourceNode, x: Value, other: Value | undefined): Value {
  const compose = new Compose(node);
  const gate = compose.unary(
    ops.Sigmoid,
    compose.scale(x, node.float('alpha', 1), 'scale'),
    'sigmoid',
  );
  const y = compose.binary(ops.Mul, x, gate, other && 'swish');
  return other ? compose.binary(ops.Mul, y, other) : y;
}

const shifts: ReadonlyMap<string, 'left' | 'right'> = new Map<string, 'left' | 'right'>([
  ['LEFT', 'left'],
  ['RIGHT', 'right'],
]);

const gelus: ReadonlyMap<string, 'none' | 'tanh'> = new Map<string, 'none' | 'tanh'>([
  ['none', 'none'],
  ['tanh', 'tanh'],
]);

const toCore = {
  Abs: always(readUnary(ops.Abs)),
  Acos: always(readUnary(ops.Acos)),
  Acosh: always(readUnary(ops.Acosh)),
  Add: always(readBinary(ops.Add)),
  And: always(readBinary(ops.And)),
  Asin: always(readUnary(ops.Asin)),
  Asinh: always(readUnary(ops.Asinh)),
  Atan: always(readUnary(ops.Atan)),
  Atanh: always(readUnary(ops.Atanh)),
  BitShift: always(
    (node) =>
      node.graph.add(
        ops.BitShift,
        { a: node.input(0), b: node.input(1) },
        { direction: meaningOf(node, 'direction', shifts) },
        node.options,
      ).y,
  ),
  BitwiseAnd: always(readBinary(ops.BitwiseAnd)),
  BitwiseNot: always(readUnary(ops.BitwiseNot)),
  BitwiseOr: always(readBinary(ops.BitwiseOr)),
  BitwiseXor: always(readBinary(ops.BitwiseXor)),
  Cast: always(readCast),
  CastLike: always((node) => {
    const { dtype } = node.input(1);
    checkSaturation(node, dtype);
    return new Compose(node).cast(node.input(0), dtype);
  }),
  Ceil: always(readUnary(ops.Ceil)),
  Celu: always(
    (node) =>
      node.graph.add(
        ops.Celu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 1) },
        node.options,
      ).y,
  ),
  Clip: versions(
    [
      1,
      (node) =>
        node.graph.add(
          ops.Clip,
          { x: node.input(0) },
          {
            min: node.has('min') ? node.float('min') : null,
            max: node.has('max') ? node.float('max') : null,
          },
          node.options,
        ).y,
    ],
    [11, readClip],
  ),
  Cos: always(readUnary(ops.Cos)),
  Cosh: always(readUnary(ops.Cosh)),
  Div: always(readBinary(ops.Div)),
  Dropout: always((node) => {
    node.ignore('ratio', 'seed', 'is_test');
    const training = node.optional(2);
    if (training && !(training.constant?.peek()?.data[0] === 0))
      throw node.unsupported('it is in training mode, or may be');
    const x = node.input(0);
    if (!node.hasOutput(1)) return x;
    const shape = node.graph.add(ops.Shape, { x }, {}, node.step('shape')).y;
    return [
      x,
      node.graph.add(
        ops.Expand,
        { x: node.graph.literal('bool', [], [true]), shape },
        { shape: null },
        node.step('mask'),
      ).y,
    ];
  }),
  Elu: always(
    (node) =>
      node.graph.add(ops.Elu, { x: node.input(0) }, { alpha: node.float('alpha', 1) }, node.options)
        .y,
  ),
  Equal: always(readBinary(ops.Equal)),
  Erf: always(readUnary(ops.Erf)),
  Exp: always(readUnary(ops.Exp)),
  Floor: always(readUnary(ops.Floor)),
  Gelu: always(
    (node) =>
      node.graph.add(
        ops.Gelu,
        { x: node.input(0) },
        { approximate: meaningOf(node, 'approximate', gelus, 'none') },
        node.options,
      ).y,
  ),
  Greater: always(readBinary(ops.Greater)),
  GreaterOrEqual: always(readBinary(ops.GreaterOrEqual)),
  HardSigmoid: always(
    (node) =>
      node.graph.add(
        ops.HardSigmoid,
        { x: node.input(0) },
        { alpha: node.float('alpha', 0.2), beta: node.float('beta', 0.5) },
        node.options,
      ).y,
  ),
  HardSwish: always(readUnary(ops.HardSwish)),
  Identity: always((node) => node.operand(0)),
  IsInf: always(
    (node) =>
      node.graph.add(
        ops.IsInf,
        { x: node.input(0) },
        {
          positive: node.int('detect_positive', 1) === 1,
          negative: node.int('detect_negative', 1) === 1,
        },
        node.options,
      ).y,
  ),
  IsNaN: always(readUnary(ops.IsNaN)),
  LeakyRelu: always(
    (node) =>
      node.graph.add(
        ops.LeakyRelu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 0.01) },
        node.options,
      ).y,
  ),
  Less: always(readBinary(ops.Less)),
  LessOrEqual: always(readBinary(ops.LessOrEqual)),
  Log: always(readUnary(ops.Log)),
  Max: always((node) => combineAll(node, ops.Max)),
  Mean: always((node) => {
    const sum = combineAll(node, ops.Add);
    if (node.inputCount === 1) return sum;
    return node.graph.add(
      ops.Div,
      { a: sum, b: node.graph.literal(sum.dtype, [], [node.inputCount]) },
      {},
      node.options,
    ).y;
  }),
  Min: always((node) => combineAll(node, ops.Min)),
  Mish: always(readUnary(ops.Mish)),
  Mod: always(
    (node) =>
      node.graph.add(
        ops.Mod,
        { a: node.input(0), b: node.input(1) },
        { sign: node.int('fmod', 0) === 1 ? 'dividend' : 'divisor' },
        node.options,
      ).y,
  ),
  Mul: always(readBinary(ops.Mul)),
  Neg: always(readUnary(ops.Neg)),
  Not: always(readUnary(ops.Not)),
  Or: always(readBinary(ops.Or)),
  Pow: always(readPow),
  PRelu: always(readPRelu),
  Reciprocal: always(readUnary(ops.Reciprocal)),
  Relu: always(readUnary(ops.Relu)),
  Round: always(readUnary(ops.Round)),
  Selu: always(
    (node) =>
      node.graph.add(
        ops.Selu,
        { x: node.input(0) },
        {
          alpha: node.float('alpha', 1.6732632423543772),
          gamma: node.float('gamma', 1.0507009873554805),
        },
        node.options,
      ).y,
  ),
  Sigmoid: always(readUnary(ops.Sigmoid)),
  Sign: always(readUnary(ops.Sign)),
  Sin: always(readUnary(ops.Sin)),
  Sinh: always(readUnary(ops.Sinh)),
  Softplus: always(readUnary(ops.Softplus)),
  Softsign: always(readUnary(ops.Softsign)),
  Sqrt: always(readUnary(ops.Sqrt)),
  Sub: always(readBinary(ops.Sub)),
  Sum: always((node) => combineAll(node, ops.Add)),
  Shrink: always((node) => {
    const x = node.input(0);
    const compose = new Compose(node);
    const [limit, bias] = [node.float('lambd', 0.5), node.float('bias', 0)];
    const zero = compose.scalar(x.dtype, 0);
    const above = compose.binary(ops.Greater, x, compose.scalar(x.dtype, limit), 'above');
    const below = compose.binary(ops.Less, x, compose.scalar(x.dtype, -limit), 'below');
    const moved = (by: number, step: string) =>
      by === 0 ? x : compose.binary(ops.Add, x, compose.scalar(x.dtype, by), step);
    return compose.where(
      below,
      moved(bias, 'raised'),
      compose.where(above, moved(-bias, 'lowered'), zero, 'upper'),
    );
  }),
  SwiGLU: always((node) => swish(node, node.input(0), node.input(1))),
  Swish: always((node) => swish(node, node.input(0), undefined)),
  Tan: always(readUnary(ops.Tan)),
  Tanh: always(readUnary(ops.Tanh)),
  ThresholdedRelu: always(
    (node) =>
      node.graph.add(
        ops.ThresholdedRelu,
        { x: node.input(0) },
        { alpha: node.float('alpha', 1) },
        node.options,
      ).y,
  ),
  Where: always(
    (node) =>
      node.graph.add(
        ops.Where,
        { condition: node.input(0), x: node.input(1), y: node.input(2) },
        {},
        node.options,
      ).y,
  ),
  Xor: always(readBinary(ops.Xor)),
} satisfies ReadRules;

/** Writes operands in order under one operator name, without attributes. */
const plain =
  (opType: string) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(opType, node.inputs, {}, node.outputs);

/** Writes an operator whose attributes are floats of the same names. */
const withFloats =
  (opType: string, ...names: readonly string[]) =>
  (node: Node, writer: GraphWriter): void => {
    const attrs = new Map<string, unknown>(Object.entries(node.attrs));
    writer.node(
      opType,
      node.inputs,
      Object.fromEntries(names.map((name) => [name, float(attrs.get(name) as number)])),
      node.outputs,
    );
  };

const decomposed = gap('it is written in simpler operators');

const fromCore = {
  Abs: plain('Abs'),
  Acos: plain('Acos'),
  Acosh: plain('Acosh'),
  Add: plain('Add'),
  And: plain('And'),
  Asin: plain('Asin'),
  Asinh: plain('Asinh'),
  Atan: plain('Atan'),
  Atan2: decomposed,
  Atanh: plain('Atanh'),
  BitwiseAnd: plain('BitwiseAnd'),
  BitwiseNot: plain('BitwiseNot'),
  BitwiseOr: plain('BitwiseOr'),
  BitwiseXor: plain('BitwiseXor'),
  Ceil: plain('Ceil'),
  Celu: withFloats('Celu', 'alpha'),
  Cos: plain('Cos'),
  Cosh: plain('Cosh'),
  Div: plain('Div'),
  Elu: withFloats('Elu', 'alpha'),
  Equal: plain('Equal'),
  Erf: plain('Erf'),
  Exp: plain('Exp'),
  Expm1: decomposed,
  Floor: plain('Floor'),
  Greater: plain('Greater'),
  GreaterOrEqual: plain('GreaterOrEqual'),
  HardSigmoid: withFloats('HardSigmoid', 'alpha', 'beta'),
  HardSwish: plain('HardSwish'),
  IsNaN: plain('IsNaN'),
  LeakyRelu: withFloats('LeakyRelu', 'alpha'),
  Less: plain('Less'),
  LessOrEqual: plain('LessOrEqual'),
  Log: plain('Log'),
  Log1p: decomposed,
  Max: plain('Max'),
  Min: plain('Min'),
  Mish: plain('Mish'),
  Mul: plain('Mul'),
  Neg: plain('Neg'),
  Not: plain('Not'),
  Or: plain('Or'),
  PRelu: plain('PRelu'),
  Pow: plain('Pow'),
  Reciprocal: plain('Reciprocal'),
  Relu: plain('Relu'),
  Round: plain('Round'),
  Selu: withFloats('Selu', 'alpha', 'gamma'),
  Sigmoid: plain('Sigmoid'),
  Sign: plain('Sign'),
  Sin: plain('Sin'),
  Sinh: plain('Sinh'),
  Softplus: plain('Softplus'),
  Softsign: plain('Softsign'),
  Sqrt: plain('Sqrt'),
  Sub: plain('Sub'),
  Tan: plain('Tan'),
  Tanh: plain('Tanh'),
  ThresholdedRelu: withFloats('ThresholdedRelu', 'alpha'),
  Where: plain('Where'),
  Xor: plain('Xor'),
  BitShift: (node, writer) =>
    writer.node(
      'BitShift',
      node.inputs,
      { direction: text(node.attrs.direction === 'left' ? 'LEFT' : 'RIGHT') },
      node.outputs,
    ),
  Cast: (node, writer) =>
    writer.node('Cast', node.inputs, { to: int(dataTypeOf(node.attrs.to)) }, node.outputs),
  Clip: (node, writer) => {
    const { dtype } = node.operands.x;
    const limit = (value: number | null) =>
      value === null ? undefined : writer.literal(dtype, [], [value]);
    writer.node(
      'Clip',
      [node.operands.x, limit(node.attrs.min), limit(node.attrs.max)],
      {},
      node.outputs,
    );
  },
  Gelu: (node, writer) =>
    writer.node('Gelu', node.inputs, { approximate: text(node.attrs.approximate) }, node.outputs),
  IsInf: (node, writer) =>
    writer.node(
      'IsInf',
      node.inputs,
      { detect_positive: int(node.attrs.positive), detect_negative: int(node.attrs.negative) },
      node.outputs,
    ),
  Mod: (node, writer) => {
    const { dtype } = node.operands.a;
    if (node.attrs.sign === 'dividend')
      return writer.node('Mod', node.inputs, { fmod: int(1) }, node.outputs);
    if (!isFloat(dtype)) return writer.node('Mod', node.inputs, {}, node.outputs);
    // ONNX has no float remainder with the sign of the divisor: a - b * floor(a / b).
    const { a, b } = node.operands;
    return writer.node(
      'Sub',
      [a, writer.step('Mul', [b, writer.step('Floor', [writer.step('Div', [a, b])])])],
      {},
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Elementwise operators, both directions. */
export const elementwise = { toCore, fromCore };
