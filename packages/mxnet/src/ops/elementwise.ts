import { ops, type Node, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { binary, scalarOf, unary, viaFloat, type UnaryOp } from '../vocabulary/build.js';
import type { GraphWriter, Operand } from '../vocabulary/graph-writer.js';
import {
  decomposed,
  readFloatUnary,
  readUnary,
  writePlain,
  type KeepRules,
  type ReadRules,
  type ToCore,
} from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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
const readRint: ToCore = (node) => {
  const x = node.input(0);
  return unary(node, ops.Ceil, binary(node, ops.Sub, x, scalarOf(node, x.dtype, 0.5), 'half'));
};

/** The fraction cut off. */
const readTrunc: ToCore = (node) => {
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

const readClip: ToCore = (node) => {
  const limit = (name: string) => node.maybe(name) ?? null;
  return node.graph.add(
    ops.Clip,
    { x: node.input(0) },
    { min: limit('a_min'), max: limit('a_max') },
    node.options,
  ).y;
};

/** Limits as attributes; `clip` keeps them in float32, so other types take two steps. */
function writeClip(node: Node<typeof ops.Clip>, writer: GraphWriter): void {
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

const toCore = {
  abs: readUnary(ops.Abs),
  arccos: readFloatUnary(ops.Acos),
  arccosh: readFloatUnary(ops.Acosh),
  arcsin: readFloatUnary(ops.Asin),
  arcsinh: readFloatUnary(ops.Asinh),
  arctan: readFloatUnary(ops.Atan),
  arctanh: readFloatUnary(ops.Atanh),
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
  log: readFloatUnary(ops.Log),
  log10: scaled(ops.Log, Math.LOG10E),
  log1p: readFloatUnary(ops.Log1p),
  log2: scaled(ops.Log, Math.LOG2E),
  negative: readUnary(ops.Neg),
  radians: (node) =>
    binary(node, ops.Mul, node.input(0), scalarOf(node, node.input(0).dtype, Math.PI / 180)),
  rcbrt: (node) => unary(node, ops.Reciprocal, cubeRoot(node, node.input(0))),
  reciprocal: readFloatUnary(ops.Reciprocal),
  rint: readRint,
  round: readRound,
  rsqrt: (node) =>
    unary(node, ops.Reciprocal, unary(node, ops.Sqrt, viaFloat(node, node.input(0)), 'sqrt')),
  sign: readUnary(ops.Sign),
  sin: readFloatUnary(ops.Sin),
  sinh: readFloatUnary(ops.Sinh),
  smooth_l1: readSmoothL1,
  sqrt: readFloatUnary(ops.Sqrt),
  tan: readFloatUnary(ops.Tan),
  tanh: readFloatUnary(ops.Tanh),
  trunc: readTrunc,
  _npi_absolute: readUnary(ops.Abs),
  _npi_around: (node) => {
    if (node.int('decimals') !== 0) throw node.unsupported('it rounds to decimals');
    return unary(node, ops.Round, node.input(0));
  },
  _npi_arccos: readFloatUnary(ops.Acos),
  _npi_arccosh: readFloatUnary(ops.Acosh),
  _npi_arcsin: readFloatUnary(ops.Asin),
  _npi_arcsinh: readFloatUnary(ops.Asinh),
  _npi_arctan: readFloatUnary(ops.Atan),
  _npi_arctanh: readFloatUnary(ops.Atanh),
  _npi_ceil: readUnary(ops.Ceil),
  _npi_cos: readFloatUnary(ops.Cos),
  _npi_cosh: readFloatUnary(ops.Cosh),
  _npi_exp: readFloatUnary(ops.Exp),
  _npi_expm1: readFloatUnary(ops.Expm1),
  _npi_floor: readUnary(ops.Floor),
  _npi_log: readFloatUnary(ops.Log),
  _npi_log1p: readFloatUnary(ops.Log1p),
  _npi_negative: readUnary(ops.Neg),
  _npi_reciprocal: readFloatUnary(ops.Reciprocal),
  _npi_rint: readRint,
  _npi_sign: readUnary(ops.Sign),
  _npi_sin: readFloatUnary(ops.Sin),
  _npi_sinh: readFloatUnary(ops.Sinh),
  _npi_sqrt: readFloatUnary(ops.Sqrt),
  _npi_tan: readFloatUnary(ops.Tan),
  _npi_tanh: readFloatUnary(ops.Tanh),
  _npi_trunc: readTrunc,
} satisfies ReadRules;

const fromCore = {
  Abs: writePlain('abs'),
  Acos: writePlain('arccos'),
  Acosh: writePlain('arccosh'),
  Asin: writePlain('arcsin'),
  Asinh: writePlain('arcsinh'),
  Atan: writePlain('arctan'),
  Atan2: decomposed,
  Atanh: writePlain('arctanh'),
  Ceil: writePlain('ceil'),
  Clip: writeClip,
  Cos: writePlain('cos'),
  Cosh: writePlain('cosh'),
  Erf: writePlain('erf'),
  Exp: writePlain('exp'),
  Expm1: writePlain('expm1'),
  Floor: writePlain('floor'),
  Log: writePlain('log'),
  Log1p: writePlain('log1p'),
  Neg: writePlain('negative'),
  Reciprocal: writePlain('reciprocal'),
  Round: writePlain('_npi_around'),
  Sign: writePlain('sign'),
  Sin: writePlain('sin'),
  Sinh: writePlain('sinh'),
  Sqrt: writePlain('sqrt'),
  Tan: writePlain('tan'),
} satisfies Partial<WriteRules<GraphWriter>>;

const keeps = {
  Expm1: () => true,
  Log1p: () => true,
} satisfies KeepRules;

/** Functions of each element, legacy and in NumPy mode, both directions. */
export const elementwise = { toCore, fromCore, keeps };
