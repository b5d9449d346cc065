import {
  gap,
  isFloat,
  sameShape,
  toNumbers,
  type DType,
  type Gap,
  type Node,
  type Value,
  type WriteRules,
} from '@drover/core';
import {
  heldType,
  type Attributes,
  type GraphWriter,
  type Operand,
} from '../vocabulary/graph-writer.js';

/** Writes operands in order under one operator name. */
const plain =
  (op: string, attributes: Attributes = {}) =>
  (node: Node, writer: GraphWriter): void =>
    writer.node(op, node.inputs as Value[], attributes, node.outputs);

/** The one element of a constant that can stand as an attribute beside `other`. */
export function scalarOf(value: Value, other: Value): number | undefined {
  if (
    value.constant?.shape.some((dim) => dim !== 1) !== false ||
    (value.rank ?? 0) > Math.max(other.rank ?? 0, 1)
  )
    return undefined;
  const elements = value.constant.peek();
  const number = elements && value.dtype !== 'bool' ? toNumbers(elements)[0] : undefined;
  return number !== undefined &&
    (Number.isSafeInteger(number) || (isFloat(value.dtype) && !Number.isNaN(number)))
    ? number
    : undefined;
}

/**
 * Names of an operator of two operands: for any shapes, for equal ones, with a constant second and
 * first.
 */
interface Names {
  readonly broadcast: string;
  readonly same?: string;
  readonly scalar: string;
  readonly reversed: string;
}

/** The value of an operator of two operands, in its operands' type. */
function combine(
  writer: GraphWriter,
  { broadcast, same, scalar, reversed }: Names,
  a: Value,
  b: Value,
): { op: string; inputs: readonly Operand[]; attributes: Attributes } {
  const [left, right] = [scalarOf(a, b), scalarOf(b, a)];
  if (right !== undefined) return { op: scalar, inputs: [a], attributes: { scalar: right } };
  if (left !== undefined) return { op: reversed, inputs: [b], attributes: { scalar: left } };
  const isSame =
    same !== undefined &&
    a.shape !== undefined &&
    b.shape !== undefined &&
    sameShape(a.shape, b.shape);
  return { op: isSame ? same : broadcast, inputs: [a, b], attributes: {} };
}

const arithmetic =
  (names: Names) =>
  (node: Node, writer: GraphWriter): void => {
    const [a, b] = node.inputs as [Value, Value];
    const { op, inputs, attributes } = combine(writer, names, a, b);
    writer.node(op, inputs, attributes, node.outputs);
  };

/** Comparisons give 0 and 1 in the type of their operands; truth is held in float32. */
const comparison =
  (names: Names) =>
  (node: Node, writer: GraphWriter): void => {
    const [a, b] = node.inputs as [Value, Value];
    const { op, inputs, attributes } = combine(writer, names, a, b);
    if (heldType(a.dtype) === 'float32') return writer.node(op, inputs, attributes, node.outputs);
    writer.node('Cast', [writer.step(op, inputs, attributes)], { dtype: 'float32' }, node.outputs);
  };

const both = (name: string, mirror = name): Names => ({
  broadcast: `broadcast_${name}`,
  scalar: `_${name}_scalar`,
  reversed: `_${mirror}_scalar`,
});

/** Truncating remainder: a - b * trunc(a / b); the division of integers truncates by itself. */
function writeMod(node: Node<typeof import('@drover/core').ops.Mod>, writer: GraphWriter): void {
  const { a, b } = node.operands;
  if (node.attrs.sign === 'divisor')
    return arithmetic({ ...both('mod'), reversed: '_rmod_scalar' })(node as Node, writer);
  const quotient = writer.step('broadcast_div', [a, b]);
  const whole = isFloat(a.dtype) ? writer.step('trunc', [quotient]) : quotient;
  writer.node('broadcast_sub', [a, writer.step('broadcast_mul', [whole, b])], {}, node.outputs);
}

/** Limits as attributes; `clip` keeps them in float32, so other types take two steps. */
function writeClip(node: Node<typeof import('@drover/core').ops.Clip>, writer: GraphWriter): void {
  const { x } = node.operands;
  const { min, max } = node.attrs;
  const isNarrow = x.dtype === 'float32' || x.dtype === 'float16';
  // Where the limits cross, the upper one holds; `clip` would let the lower one.
  if (
    min !== null &&
    max !== null &&
    min <= max &&
    isNarrow &&
    Number.isFinite(min) &&
    Number.isFinite(max)
  )
    return writer.node('clip', [x], { a_min: min, a_max: max }, node.outputs);
  let last: Operand = x;
  if (min !== null && max !== null) last = writer.step('_maximum_scalar', [x], { scalar: min });
  if (max !== null) return writer.node('_minimum_scalar', [last], { scalar: max }, node.outputs);
  writer.node(
    min === null ? '_copy' : '_maximum_scalar',
    [last],
    min === null ? {} : { scalar: min },
    node.outputs,
  );
}

/** Element types that MXNet's casts know. */
const castable: ReadonlySet<DType> = new Set([
  'float16',
  'float32',
  'float64',
  'int8',
  'uint8',
  'int32',
  'int64',
  'bool',
]);

function writeCast(
  node: Node<typeof import('@drover/core').ops.Cast>,
  writer: GraphWriter,
): Gap | void {
  const { x } = node.operands;
  const { to } = node.attrs;
  if (![x.dtype, to].every((dtype) => castable.has(dtype)))
    return gap(`MXNet casts no ${x.dtype} to ${to}`);
  if (to === 'bool') {
    if (heldType(x.dtype) === 'float32')
      return writer.node('_not_equal_scalar', [x], { scalar: 0 }, node.outputs);
    return writer.node(
      'Cast',
      [writer.step('_not_equal_scalar', [x], { scalar: 0 })],
      { dtype: 'float32' },
      node.outputs,
    );
  }
  if (heldType(x.dtype) === to) return writer.node('_copy', [x], {}, node.outputs);
  writer.node('Cast', [x], { dtype: to }, node.outputs);
}

const decomposed = gap('it is written in simpler operators');
const noBits = gap('MXNet 1.9 has no operators on bits of its legacy arrays');

/** Writing of elementwise operators. */
export const writeElementwise = {
  Abs: plain('abs'),
  Acos: plain('arccos'),
  Acosh: plain('arccosh'),
  Add: arithmetic({
    broadcast: 'broadcast_add',
    same: 'elemwise_add',
    scalar: '_plus_scalar',
    reversed: '_plus_scalar',
  }),
  And: plain('broadcast_logical_and'),
  Asin: plain('arcsin'),
  Asinh: plain('arcsinh'),
  Atan: plain('arctan'),
  Atan2: decomposed,
  Atanh: plain('arctanh'),
  BitShift: noBits,
  BitwiseAnd: noBits,
  BitwiseNot: noBits,
  BitwiseOr: noBits,
  BitwiseXor: noBits,
  Cast: writeCast,
  Ceil: plain('ceil'),
  Celu: decomposed,
  Clip: writeClip,
  Cos: plain('cos'),
  Cosh: plain('cosh'),
  Div: arithmetic({
    broadcast: 'broadcast_div',
    same: 'elemwise_div',
    scalar: '_div_scalar',
    reversed: '_rdiv_scalar',
  }),
  Elu: (node, writer) =>
    writer.node(
      'LeakyReLU',
      node.inputs as Value[],
      { act_type: 'elu', slope: node.attrs.alpha },
      node.outputs,
    ),
  Equal: comparison(both('equal')),
  Erf: plain('erf'),
  Exp: plain('exp'),
  Expm1: plain('expm1'),
  Floor: plain('floor'),
  Gelu: plain('LeakyReLU', { act_type: 'gelu' }),
  Greater: comparison(both('greater', 'lesser')),
  GreaterOrEqual: comparison(both('greater_equal', 'lesser_equal')),
  HardSigmoid: (node, writer) =>
    writer.node(
      'hard_sigmoid',
      node.inputs as Value[],
      { alpha: node.attrs.alpha, beta: node.attrs.beta },
      node.outputs,
    ),
  HardSwish: decomposed,
  IsInf: (node, writer) => {
    const { x } = node.operands;
    const { positive, negative } = node.attrs;
    const of = (value: Operand, scalar: number) =>
      writer.cast(writer.step('_equal_scalar', [value], { scalar }), x.dtype, 'float32');
    if (positive && negative)
      return writer.node('_copy', [of(writer.step('abs', [x]), Infinity)], {}, node.outputs);
    if (!positive && !negative)
      return writer.node('zeros_like', [writer.cast(x, x.dtype, 'float32')], {}, node.outputs);
    writer.node('_copy', [of(x, positive ? Infinity : -Infinity)], {}, node.outputs);
  },
  IsNaN: (node, writer) => {
    const { x } = node.operands;
    if (x.dtype === 'float32') return writer.node('broadcast_not_equal', [x, x], {}, node.outputs);
    writer.node(
      'Cast',
      [writer.step('broadcast_not_equal', [x, x])],
      { dtype: 'float32' },
      node.outputs,
    );
  },
  LeakyRelu: (node, writer) =>
    writer.node(
      'LeakyReLU',
      node.inputs as Value[],
      { act_type: 'leaky', slope: node.attrs.alpha },
      node.outputs,
    ),
  Less: comparison(both('lesser', 'greater')),
  LessOrEqual: comparison(both('lesser_equal', 'greater_equal')),
  Log: plain('log'),
  Log1p: plain('log1p'),
  Max: arithmetic(both('maximum')),
  Min: arithmetic(both('minimum')),
  Mish: decomposed,
  Mod: writeMod,
  Mul: arithmetic({
    broadcast: 'broadcast_mul',
    same: 'elemwise_mul',
    scalar: '_mul_scalar',
    reversed: '_mul_scalar',
  }),
  Neg: plain('negative'),
  Not: plain('logical_not'),
  Or: plain('broadcast_logical_or'),
  PRelu: (node, writer) => {
    const slope = node.operands.slope.constant!;
    const gamma = writer.array(
      node.operands.slope.name,
      slope.reshape([slope.shape.reduce((a, b) => a * b, 1)]),
    );
    writer.node('LeakyReLU', [node.operands.x, gamma], { act_type: 'prelu' }, node.outputs);
  },
  Pow: arithmetic({ ...both('power'), reversed: '_rpower_scalar' }),
  Reciprocal: plain('reciprocal'),
  Relu: (node, writer) =>
    (isFloat(node.operands.x.dtype) ? plain('Activation', { act_type: 'relu' }) : plain('relu'))(
      node as Node,
      writer,
    ),
  Round: plain('_npi_around'),
  Selu: plain('LeakyReLU', { act_type: 'selu' }),
  Sigmoid: plain('Activation', { act_type: 'sigmoid' }),
  Sign: plain('sign'),
  Sin: plain('sin'),
  Sinh: plain('sinh'),
  Softplus: plain('Activation', { act_type: 'softrelu' }),
  Softsign: plain('Activation', { act_type: 'softsign' }),
  Sqrt: plain('sqrt'),
  Sub: arithmetic({
    broadcast: 'broadcast_sub',
    same: 'elemwise_sub',
    scalar: '_minus_scalar',
    reversed: '_rminus_scalar',
  }),
  Tan: plain('tan'),
  Tanh: plain('Activation', { act_type: 'tanh' }),
  ThresholdedRelu: decomposed,
  Where: plain('_npi_where'),
  Xor: plain('broadcast_logical_xor'),
} satisfies Partial<WriteRules<GraphWriter>>;
