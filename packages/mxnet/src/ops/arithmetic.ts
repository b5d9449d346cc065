import { isFloat, ops, toNumbers, type Node, type Value } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { binary, cast, scalarOf, unary, viaFloat, type BinaryOp } from '../vocabulary/build.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import {
  both,
  combine,
  legacyNames,
  ofNumpyScalar,
  ofScalar,
  ofTwo,
  pairwise,
  promoted,
  swapped,
  type Compose,
  type Names,
} from '../vocabulary/operand-pair.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

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

const readSum: ToCore = (node) => {
  const [first, ...rest] = node.inputs();
  return rest.reduce(
    (sum, x, i) => binary(node, ops.Add, sum, x, i === rest.length - 1 ? undefined : `sum${i}`),
    first!,
  );
};

/** a x^2 + b x + c. */
const readQuadratic: ToCore = (node) => {
  const x = node.input(0);
  const number = (name: string) => scalarOf(node, x.dtype, node.float(name));
  const line = binary(
    node,
    ops.Add,
    binary(node, ops.Mul, x, number('a'), 'slope'),
    number('b'),
    'line',
  );
  return binary(node, ops.Add, binary(node, ops.Mul, line, x, 'product'), number('c'));
};

/** x * x. */
const square: ToCore = (node) => binary(node, ops.Mul, node.input(0), node.input(0));

const readNumpyBinary =
  (op: BinaryOp): ToCore =>
  (node) =>
    binary(node, op, ...promoted(node, node.input(0), node.input(1)));

const writePair =
  (names: Names) =>
  (node: Node, writer: GraphWriter): void => {
    const [a, b] = node.inputs as [Value, Value];
    const { op, inputs, attributes } = combine(writer, names, a, b);
    writer.node(op, inputs, attributes, node.outputs);
  };

/** Truncating remainder: a - b * trunc(a / b); the division of integers truncates by itself. */
function writeMod(node: Node<typeof ops.Mod>, writer: GraphWriter): void {
  const { a, b } = node.operands;
  if (node.attrs.sign === 'divisor')
    return writePair({ ...both('mod'), reversed: '_rmod_scalar' })(node as Node, writer);
  const quotient = writer.step('broadcast_div', [a, b]);
  const whole = isFloat(a.dtype) ? writer.step('trunc', [quotient]) : quotient;
  writer.node('broadcast_sub', [a, writer.step('broadcast_mul', [whole, b])], {}, node.outputs);
}

const toCore = {
  _grad_add: ofTwo(pairwise(ops.Add)),
  add_n: readSum,
  _contrib_quadratic: readQuadratic,
  square,
  ...legacyNames('add', pairwise(ops.Add)),
  ...legacyNames('sub', pairwise(ops.Sub)),
  ...legacyNames('mul', pairwise(ops.Mul)),
  ...legacyNames('div', pairwise(ops.Div)),
  ...legacyNames('maximum', pairwise(ops.Max)),
  ...legacyNames('minimum', pairwise(ops.Min)),
  ...legacyNames('power', pairwise(ops.Pow)),
  ...legacyNames('hypot', hypot),
  ...legacyNames('mod', modulo),
  elemwise_add: ofTwo(pairwise(ops.Add)),
  elemwise_sub: ofTwo(pairwise(ops.Sub)),
  elemwise_mul: ofTwo(pairwise(ops.Mul)),
  elemwise_div: ofTwo(pairwise(ops.Div)),
  _plus_scalar: ofScalar(pairwise(ops.Add)),
  _minus_scalar: ofScalar(pairwise(ops.Sub)),
  _rminus_scalar: ofScalar(swapped(pairwise(ops.Sub))),
  _rdiv_scalar: ofScalar(swapped(pairwise(ops.Div))),
  _rpower_scalar: ofScalar(swapped(pairwise(ops.Pow))),
  _rmod_scalar: ofScalar(swapped(modulo)),
  _npi_add: readNumpyBinary(ops.Add),
  _npi_subtract: readNumpyBinary(ops.Sub),
  _npi_multiply: readNumpyBinary(ops.Mul),
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
  _npi_power: readNumpyBinary(ops.Pow),
  _npi_maximum: readNumpyBinary(ops.Max),
  _npi_minimum: readNumpyBinary(ops.Min),
  _npi_square: square,
  _npi_add_scalar: ofNumpyScalar(pairwise(ops.Add)),
  _npi_subtract_scalar: ofNumpyScalar(pairwise(ops.Sub)),
  _npi_rsubtract_scalar: ofNumpyScalar(swapped(pairwise(ops.Sub))),
  _npi_multiply_scalar: ofNumpyScalar(pairwise(ops.Mul)),
  _npi_power_scalar: ofNumpyScalar(pairwise(ops.Pow)),
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
} satisfies ReadRules;

const fromCore = {
  Add: writePair({
    broadcast: 'broadcast_add',
    same: 'elemwise_add',
    scalar: '_plus_scalar',
    reversed: '_plus_scalar',
  }),
  Div: writePair({
    broadcast: 'broadcast_div',
    same: 'elemwise_div',
    scalar: '_div_scalar',
    reversed: '_rdiv_scalar',
  }),
  Max: writePair(both('maximum')),
  Min: writePair(both('minimum')),
  Mod: writeMod,
  Mul: writePair({
    broadcast: 'broadcast_mul',
    same: 'elemwise_mul',
    scalar: '_mul_scalar',
    reversed: '_mul_scalar',
  }),
  Pow: writePair({ ...both('power'), reversed: '_rpower_scalar' }),
  Sub: writePair({
    broadcast: 'broadcast_sub',
    same: 'elemwise_sub',
    scalar: '_minus_scalar',
    reversed: '_rminus_scalar',
  }),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Arithmetic of two operands, legacy and in NumPy mode, both directions. */
export const arithmetic = { toCore, fromCore };
