import { isFloat, ops, toNumbers, type DType, type Value } from '@drover/core';
import {
  binary,
  cast,
  scalarOf,
  truth,
  unary,
  type BinaryOp,
  type UnaryOp,
} from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

/** One operand, without attributes. */
export const readUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    unary(node, op, node.input(0));

/** Operators that MXNet defines on integers too, but core on floats only. */
export const viaFloat = (node: SourceNode, x: Value): Value =>
  isFloat(x.dtype) ? x : cast(node, x, 'float32', 'float');
/** One operand, which core takes as a float. */
export const readFloatUnary =
  (op: UnaryOp): ToCore =>
  (node) =>
    unary(node, op, viaFloat(node, node.input(0)));

const same: ToCore = (node) => node.input(0);
/** Like {@link same}, for operators whose attributes only concern training. */
const passed =
  (...attributes: readonly string[]): ToCore =>
  (node) => {
    node.ignore(...attributes);
    return node.input(0);
  };

/**
 * MXNet's legacy operators work on one element type; the wider one counts where a constant and data
 * differ.
 */
const readBinary =
  (op: BinaryOp): ToCore =>
  (node) =>
    binary(node, op, node.input(0), node.input(1));

/**
 * NumPy's promotion as far as MXNet 1.9 knows it: floats win over integers, the wider float over
 * the narrower one.
 */
export function promoted(node: SourceNode, a: Value, b: Value): readonly [Value, Value] {
  if (a.dtype === b.dtype) return [a, b];
  const order: readonly DType[] = [
    'bool',
    'uint8',
    'int8',
    'int32',
    'int64',
    'float16',
    'float32',
    'float64',
  ];
  const to = order[Math.max(order.indexOf(a.dtype), order.indexOf(b.dtype))];
  if (!to) throw node.unsupported(`it mixes ${a.dtype} and ${b.dtype}`);
  return [cast(node, a, to, 'a'), cast(node, b, to, 'b')];
}

/** What two operands give. */
export type Compose = (node: SourceNode, a: Value, b: Value) => Value;

/** A comparison; the legacy operators give 0 and 1 in the type of their operands. */
const comparing =
  (op: BinaryOp, isNegated = false): Compose =>
  (node, a, b) => {
    const y = binary(node, op, a, b, 'compare');
    return cast(node, isNegated ? unary(node, ops.Not, y, 'not') : y, a.dtype);
  };
const logical =
  (op: BinaryOp): Compose =>
  (node, a, b) =>
    cast(node, binary(node, op, truth(node, a, 'a'), truth(node, b, 'b'), 'logic'), a.dtype);

const hypot: Compose = (node, a, b) => {
  const square = (x: Value, step: string) => binary(node, ops.Mul, x, x, step);
  return unary(node, ops.Sqrt, binary(node, ops.Add, square(a, 'a'), square(b, 'b'), 'sum'));
};

/** The remainder with the sign of the divisor, 0 where the divisor is 0. */
const modulo: Compose = (node, a, b) => {
  const zero = scalarOf(node, a.dtype, 0);
  const divisorElements = b.constant?.peek();
  if (divisorElements && toNumbers(divisorElements).every((each) => each !== 0))
    return node.graph.add(ops.Mod, { a, b }, { sign: 'divisor' }, node.options).y;
  const isZero = binary(node, ops.Equal, b, zero, 'is_zero');
  // An integer division by 0 is not defined: the divisor becomes 1 where it is 0.
  const divisor = node.graph.add(
    ops.Where,
    { condition: isZero, x: scalarOf(node, a.dtype, 1), y: b },
    {},
    node.step('divisor'),
  ).y;
  const safe = node.graph.add(ops.Mod, { a, b: divisor }, { sign: 'divisor' }, node.step('mod')).y;
  return node.graph.add(ops.Where, { condition: isZero, x: zero, y: safe }, {}, node.options).y;
};

/** One core operator over both operands. */
export const plain =
  (op: BinaryOp): Compose =>
  (node, a, b) =>
    binary(node, op, a, b);
/** The same with the operands exchanged. */
export const swapped =
  (compose: Compose): Compose =>
  (node, a, b) =>
    compose(node, b, a);
/** What legacy operators compute under their base names. */
const composed: Readonly<Record<string, Compose>> = {
  add: plain(ops.Add),
  sub: plain(ops.Sub),
  mul: plain(ops.Mul),
  div: plain(ops.Div),
  maximum: plain(ops.Max),
  minimum: plain(ops.Min),
  power: plain(ops.Pow),
  equal: comparing(ops.Equal),
  not_equal: comparing(ops.Equal, true),
  greater: comparing(ops.Greater),
  greater_equal: comparing(ops.GreaterOrEqual),
  lesser: comparing(ops.Less),
  lesser_equal: comparing(ops.LessOrEqual),
  logical_and: logical(ops.And),
  logical_or: logical(ops.Or),
  logical_xor: logical(ops.Xor),
  hypot,
  mod: modulo,
};

const ofTwo =
  (compose: Compose): ToCore =>
  (node) =>
    compose(node, node.input(0), node.input(1));

/**
 * With a constant in place of the second operand. Integers beside what is stated to be no integer
 * become float64.
 */
const ofScalar =
  (compose: Compose): ToCore =>
  (node) => {
    const given = node.input(0);
    const x =
      isFloat(given.dtype) || node.bool('is_int') ? given : cast(node, given, 'float64', 'float');
    node.ignore('is_int');
    return compose(node, x, scalarOf(node, x.dtype, node.float('scalar')));
  };

const names = Object.entries(composed);
const scalarNames: Readonly<Record<string, string>> = {
  plus: 'add',
  minus: 'sub',
  mul: 'mul',
  div: 'div',
};

const readActivation: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('act_type');
  const op = {
    relu: ops.Relu,
    sigmoid: ops.Sigmoid,
    tanh: ops.Tanh,
    softrelu: ops.Softplus,
    softsign: ops.Softsign,
  }[type ?? ''];
  if (!op) throw node.unsupported(`its act_type is ${type}`);
  return unary(node, op as UnaryOp, x);
};

/** One slope for each channel, along axis 1. */
function prelu(node: SourceNode): Value {
  const [x, gamma] = [node.input(0), node.input(1)];
  const rank = node.shape(0).length;
  if (gamma.rank !== 1 || rank < 2)
    return node.graph.add(ops.PRelu, { x, slope: gamma }, {}, node.options).y;
  const axes = Array.from({ length: rank - 2 }, (_, i) => i + 1);
  const slope = gamma.constant
    ? node.graph.constant(
        gamma.constant.reshape([gamma.constant.shape[0]!, ...axes.map(() => 1)]),
        gamma.name,
        gamma.origin,
      )
    : axes.length === 0
      ? gamma
      : node.graph.add(ops.Unsqueeze, { x: gamma }, { axes }, node.step('slope')).y;
  return node.graph.add(ops.PRelu, { x, slope }, {}, node.options).y;
}

const readLeakyRelu: ToCore = (node) => {
  const x = node.input(0);
  const type = node.text('act_type');
  if (node.isUsed(1)) throw node.unsupported('its mask is used');
  const [lower, upper] = [node.float('lower_bound'), node.float('upper_bound')];
  const slope = node.float('slope');
  switch (type) {
    case 'leaky':
      return node.graph.add(ops.LeakyRelu, { x }, { alpha: slope }, node.options).y;
    case 'rrelu':
      return node.graph.add(ops.LeakyRelu, { x }, { alpha: (lower + upper) / 2 }, node.options).y;
    case 'elu':
      return node.graph.add(ops.Elu, { x }, { alpha: slope }, node.options).y;
    case 'selu':
      return node.graph.add(
        ops.Selu,
        { x },
        { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
        node.options,
      ).y;
    case 'gelu':
      return node.graph.add(ops.Gelu, { x }, { approximate: 'none' }, node.options).y;
    case 'prelu':
      return prelu(node);
    default:
      throw node.unsupported(`its act_type is ${type}`);
  }
};

/** Half away from zero. */
const readRound: ToCore = (node) => {
  const x = node.input(0);
  const magnitude = unary(
    node,
    ops.Floor,
    binary(node, ops.Add, unary(node, ops.Abs, x, 'abs'), scalarOf(node, x.dtype, 0.5), 'half'),
    'floor',
  );
  return binary(node, ops.Mul, unary(node, ops.Sign, x, 'sign'), magnitude);
};

/** Half down: the ceiling of x - 0.5. */
export const readRint: ToCore = (node) => {
  const x = node.input(0);
  return unary(node, ops.Ceil, binary(node, ops.Sub, x, scalarOf(node, x.dtype, 0.5), 'half'));
};

/** The fraction cut off. */
export const readTrunc: ToCore = (node) => {
  const x = node.input(0);
  return binary(
    node,
    ops.Mul,
    unary(node, ops.Sign, x, 'sign'),
    unary(node, ops.Floor, unary(node, ops.Abs, x, 'abs'), 'floor'),
  );
};

/** A constant times (or plus) what an operator gives. */
const scaled =
  (op: UnaryOp, factor: number): ToCore =>
  (node) => {
    const x = viaFloat(node, node.input(0));
    return binary(node, ops.Mul, unary(node, op, x, 'part'), scalarOf(node, x.dtype, factor));
  };

/** The root keeps the sign of its operand. */
const cubeRoot = (node: SourceNode, x: Value): Value => {
  const magnitude = binary(
    node,
    ops.Pow,
    unary(node, ops.Abs, x, 'abs'),
    scalarOf(node, x.dtype, 1 / 3),
    'root',
  );
  return binary(node, ops.Mul, unary(node, ops.Sign, x, 'sign'), magnitude, 'cbrt');
};

const readSmoothL1: ToCore = (node) => {
  const x = node.input(0);
  const sigma2 = node.float('scalar') ** 2;
  const constant = (value: number) => scalarOf(node, x.dtype, value);
  const magnitude = unary(node, ops.Abs, x, 'abs');
  const near = binary(
    node,
    ops.Mul,
    binary(node, ops.Mul, x, x, 'square'),
    constant(sigma2 / 2),
    'near',
  );
  const far = binary(node, ops.Sub, magnitude, constant(0.5 / sigma2), 'far');
  return node.graph.add(
    ops.Where,
    {
      condition: binary(node, ops.Less, magnitude, constant(1 / sigma2), 'is_near'),
      x: near,
      y: far,
    },
    {},
    node.options,
  ).y;
};

/** A condition of one dimension selects rows of what has more. */
export const readWhere: ToCore = (node) => {
  const [given, x, y] = [node.input(0), node.input(1), node.input(2)];
  let condition = truth(node, given, 'condition');
  if (node.type === 'where' && condition.rank === 1 && (x.rank ?? 1) > 1) {
    const axes = Array.from({ length: x.rank! - 1 }, (_, i) => i + 1);
    condition = node.graph.add(ops.Unsqueeze, { x: condition }, { axes }, node.step('rows')).y;
  }
  const [a, b] = promoted(node, x, y);
  return node.graph.add(ops.Where, { condition, x: a, y: b }, {}, node.options).y;
};

const readClip: ToCore = (node) => {
  const limit = (name: string) => node.maybe(name) ?? null;
  return node.graph.add(
    ops.Clip,
    { x: node.input(0) },
    { min: limit('a_min'), max: limit('a_max') },
    node.options,
  ).y;
};

const readSum: ToCore = (node) => {
  const [first, ...rest] = node.inputs();
  return rest.reduce(
    (sum, x, i) => binary(node, ops.Add, sum, x, i === rest.length - 1 ? undefined : `sum${i}`),
    first!,
  );
};

const readCast: ToCore = (node) => cast(node, node.input(0), node.dtype('dtype'));

/** x * x. */
export const square: ToCore = (node) => binary(node, ops.Mul, node.input(0), node.input(0));

const toCore = {
  Activation: readActivation,
  BlockGrad: same,
  Cast: readCast,
  Dropout: (node) => {
    node.ignore('p', 'axes');
    if (node.text('mode') === 'always')
      throw node.unsupported('it drops elements at random whenever it runs');
    if (node.isUsed(1)) throw node.unsupported('its mask is used');
    return node.input(0);
  },
  IdentityAttachKLSparseReg: passed('sparseness_target', 'penalty', 'momentum'),
  LeakyReLU: readLeakyRelu,
  LinearRegressionOutput: passed('grad_scale'),
  LogisticRegressionOutput: (node) => {
    node.ignore('grad_scale');
    return unary(node, ops.Sigmoid, node.input(0));
  },
  MAERegressionOutput: passed('grad_scale'),
  MakeLoss: passed('grad_scale', 'valid_thresh', 'normalization'),
  SVMOutput: passed('margin', 'regularization_coefficient', 'use_linear'),
  _copy: same,
  _identity_with_attr_like_rhs: same,
  _np_copy: same,
  _contrib_div_sqrt_dim: (node) => {
    const x = node.input(0);
    const size = node.shape(0).at(-1);
    if (typeof size !== 'number')
      throw node.unsupported('the size of the last dimension is not known');
    return binary(node, ops.Div, x, scalarOf(node, x.dtype, Math.sqrt(size)));
  },
  _grad_add: readBinary(ops.Add),
  abs: readUnary(ops.Abs),
  add_n: readSum,
  amp_cast: readCast,
  amp_multicast: (node) => {
    node.ignore('num_outputs', 'cast_narrow');
    if (new Set(node.inputs().map(({ dtype }) => dtype)).size > 1)
      throw node.unsupported('its inputs have several element types');
    return node.inputs();
  },
  arccos: readFloatUnary(ops.Acos),
  arccosh: readFloatUnary(ops.Acosh),
  arcsin: readFloatUnary(ops.Asin),
  arcsinh: readFloatUnary(ops.Asinh),
  arctan: readFloatUnary(ops.Atan),
  arctanh: readFloatUnary(ops.Atanh),
  cast_storage: passed('stype'),
  cbrt: (node) => cubeRoot(node, node.input(0)),
  ceil: readUnary(ops.Ceil),
  clip: readClip,
  cos: readFloatUnary(ops.Cos),
  cosh: readFloatUnary(ops.Cosh),
  degrees: (node) =>
    binary(node, ops.Mul, node.input(0), scalarOf(node, node.input(0).dtype, 180 / Math.PI)),
  erf: readFloatUnary(ops.Erf),
  exp: readFloatUnary(ops.Exp),
  expm1: readFloatUnary(ops.Expm1),
  fix: readTrunc,
  floor: readUnary(ops.Floor),
  hard_sigmoid: (node) =>
    node.graph.add(
      ops.HardSigmoid,
      { x: node.input(0) },
      { alpha: node.float('alpha'), beta: node.float('beta') },
      node.options,
    ).y,
  log: readFloatUnary(ops.Log),
  log10: scaled(ops.Log, Math.LOG10E),
  log1p: readFloatUnary(ops.Log1p),
  log2: scaled(ops.Log, Math.LOG2E),
  logical_not: (node) =>
    cast(
      node,
      unary(node, ops.Not, truth(node, node.input(0), 'truth'), 'not'),
      node.input(0).dtype,
    ),
  make_loss: same,
  negative: readUnary(ops.Neg),
  radians: (node) =>
    binary(node, ops.Mul, node.input(0), scalarOf(node, node.input(0).dtype, Math.PI / 180)),
  rcbrt: (node) => unary(node, ops.Reciprocal, cubeRoot(node, node.input(0))),
  reciprocal: readFloatUnary(ops.Reciprocal),
  relu: readUnary(ops.Relu),
  rint: readRint,
  round: readRound,
  rsqrt: (node) =>
    unary(node, ops.Reciprocal, unary(node, ops.Sqrt, viaFloat(node, node.input(0)), 'sqrt')),
  sigmoid: readFloatUnary(ops.Sigmoid),
  sign: readUnary(ops.Sign),
  sin: readFloatUnary(ops.Sin),
  sinh: readFloatUnary(ops.Sinh),
  smooth_l1: readSmoothL1,
  softsign: readFloatUnary(ops.Softsign),
  sqrt: readFloatUnary(ops.Sqrt),
  square,
  tan: readFloatUnary(ops.Tan),
  tanh: readFloatUnary(ops.Tanh),
  trunc: readTrunc,
  where: readWhere,
  ...Object.fromEntries(names.map(([name, compose]) => [`broadcast_${name}`, ofTwo(compose)])),
  ...Object.fromEntries(
    ['add', 'sub', 'mul', 'div'].map((name) => [`elemwise_${name}`, ofTwo(composed[name]!)]),
  ),
  ...Object.fromEntries(names.map(([name, compose]) => [`_${name}`, ofTwo(compose)])),
  ...Object.fromEntries(names.map(([name, compose]) => [`_${name}_scalar`, ofScalar(compose)])),
  ...Object.fromEntries(
    Object.entries(scalarNames).map(([name, base]) => [
      `_${name}_scalar`,
      ofScalar(composed[base]!),
    ]),
  ),
  ...Object.fromEntries(
    [
      ['rminus', 'sub'],
      ['rdiv', 'div'],
      ['rpower', 'power'],
      ['rmod', 'mod'],
    ].map(([name, base]) => [`_${name}_scalar`, ofScalar(swapped(composed[base!]!))]),
  ),
} satisfies ReadRules;

/** Reading of elementwise operators. */
export const elementwise = { toCore };
