import { isFloat, ops } from '@drover/core';
import { binary, cast, scalarOf, truth, unary, type BinaryOp } from '../vocabulary/build.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';
import {
  plain,
  promoted,
  readFloatUnary,
  readRint,
  readTrunc,
  readUnary,
  readWhere,
  square,
  swapped,
  viaFloat,
  type Compose,
} from './elementwise.js';

const readNumpyBinary =
  (op: BinaryOp): ToCore =>
  (node) =>
    binary(node, op, ...promoted(node, node.input(0), node.input(1)));

const numpyComparing =
  (op: BinaryOp, isNegated = false): ToCore =>
  (node) => {
    const [a, b] = promoted(node, node.input(0), node.input(1));
    const y = binary(node, op, a, b, isNegated ? 'compare' : undefined);
    return isNegated ? unary(node, ops.Not, y) : y;
  };

/** NumPy: an integer with a fraction becomes float64. */
const ofNumpyScalar =
  (compose: Compose): ToCore =>
  (node) => {
    const isInt = node.bool('is_int');
    const scalar = node.float('scalar');
    const given = node.input(0);
    const x =
      isFloat(given.dtype) || (isInt && given.dtype !== 'bool')
        ? given
        : cast(node, given, isInt ? 'int64' : 'float64', 'promote');
    return compose(node, x, scalarOf(node, x.dtype, scalar));
  };

const toCore = {
  _npi_absolute: readUnary(ops.Abs),
  _npi_add: readNumpyBinary(ops.Add),
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
  _npi_equal: numpyComparing(ops.Equal),
  _npi_exp: readFloatUnary(ops.Exp),
  _npi_expm1: readFloatUnary(ops.Expm1),
  _npi_floor: readUnary(ops.Floor),
  _npi_greater: numpyComparing(ops.Greater),
  _npi_greater_equal: numpyComparing(ops.GreaterOrEqual),
  _npi_less: numpyComparing(ops.Less),
  _npi_less_equal: numpyComparing(ops.LessOrEqual),
  _npi_log: readFloatUnary(ops.Log),
  _npi_log1p: readFloatUnary(ops.Log1p),
  _npi_logical_not: (node) => unary(node, ops.Not, truth(node, node.input(0), 'truth')),
  _npi_maximum: readNumpyBinary(ops.Max),
  _npi_minimum: readNumpyBinary(ops.Min),
  _npi_multiply: readNumpyBinary(ops.Mul),
  _npi_negative: readUnary(ops.Neg),
  _npi_not_equal: numpyComparing(ops.Equal, true),
  _npi_power: readNumpyBinary(ops.Pow),
  _npi_reciprocal: readFloatUnary(ops.Reciprocal),
  _npi_rint: readRint,
  _npi_sign: readUnary(ops.Sign),
  _npi_sin: readFloatUnary(ops.Sin),
  _npi_sinh: readFloatUnary(ops.Sinh),
  _npi_sqrt: readFloatUnary(ops.Sqrt),
  _npi_square: square,
  _npi_subtract: readNumpyBinary(ops.Sub),
  _npi_tan: readFloatUnary(ops.Tan),
  _npi_tanh: readFloatUnary(ops.Tanh),
  _npi_true_divide: (node) => {
    const [a, b] = promoted(node, node.input(0), node.input(1));
    return isFloat(a.dtype)
      ? binary(node, ops.Div, a, b)
      : binary(
          node,
          ops.Div,
          cast(node, a, 'float32', 'a_float'),
          cast(node, b, 'float32', 'b_float'),
        );
  },
  _npi_trunc: readTrunc,
  _npi_where: readWhere,
  ...Object.fromEntries(
    (['greater', 'less'] as const).flatMap((name) => [
      [`_npi_${name}_scalar`, ofNumpyScalar(plain(name === 'greater' ? ops.Greater : ops.Less))],
      [
        `_npi_${name}_equal_scalar`,
        ofNumpyScalar(plain(name === 'greater' ? ops.GreaterOrEqual : ops.LessOrEqual)),
      ],
    ]),
  ),
  _npi_equal_scalar: ofNumpyScalar(plain(ops.Equal)),
  _npi_not_equal_scalar: ofNumpyScalar((node, a, b) =>
    unary(node, ops.Not, binary(node, ops.Equal, a, b, 'equal')),
  ),
  _npi_add_scalar: ofNumpyScalar(plain(ops.Add)),
  _npi_multiply_scalar: ofNumpyScalar(plain(ops.Mul)),
  _npi_power_scalar: ofNumpyScalar(plain(ops.Pow)),
  _npi_rsubtract_scalar: ofNumpyScalar(swapped(plain(ops.Sub))),
  _npi_subtract_scalar: ofNumpyScalar(plain(ops.Sub)),
  _npi_true_divide_scalar: (node) => {
    node.ignore('is_int');
    const x = viaFloat(node, node.input(0));
    return binary(node, ops.Div, x, scalarOf(node, x.dtype, node.float('scalar')));
  },
  _npi_rtrue_divide_scalar: (node) => {
    node.ignore('is_int');
    const x = viaFloat(node, node.input(0));
    return binary(node, ops.Div, scalarOf(node, x.dtype, node.float('scalar')), x);
  },
  _npx_relu: readUnary(ops.Relu),
  _npx_sigmoid: readFloatUnary(ops.Sigmoid),
} satisfies ReadRules;

/** Reading of elementwise operators of the NumPy front end: other promotions, and truth as bool. */
export const numpyElementwise = { toCore };
