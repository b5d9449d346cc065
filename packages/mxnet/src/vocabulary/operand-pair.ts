import { isFloat, sameShape, toNumbers, type DType, type Value } from '@drover/core';
import { binary, cast, scalarOf, type BinaryOp } from './build.js';
import type { Attributes, GraphWriter, Operand } from './graph-writer.js';
import type { ReadRules, ToCore } from './rule.js';
import type { SourceNode } from './source-node.js';

/** What two operands give. */
export type Compose = (node: SourceNode, a: Value, b: Value) => Value;

/** One core operator over both operands. */
export const pairwise =
  (op: BinaryOp): Compose =>
  (node, a, b) =>
    binary(node, op, a, b);

/** The same with the operands exchanged. */
export const swapped =
  (compose: Compose): Compose =>
  (node, a, b) =>
    compose(node, b, a);

/** Both operands of a node. */
export const ofTwo =
  (compose: Compose): ToCore =>
  (node) =>
    compose(node, node.input(0), node.input(1));

/**
 * With a constant in place of the second operand. Integers beside what is stated to be no integer
 * become float64.
 */
export const ofScalar =
  (compose: Compose): ToCore =>
  (node) => {
    const given = node.input(0);
    const x =
      isFloat(given.dtype) || node.bool('is_int') ? given : cast(node, given, 'float64', 'float');
    node.ignore('is_int');
    return compose(node, x, scalarOf(node, x.dtype, node.float('scalar')));
  };

/**
 * The names under which MXNet's legacy operators compute one thing: over shapes that broadcast,
 * over equal ones, and with a constant as the second operand.
 */
export const legacyNames = (name: string, compose: Compose): ReadRules => ({
  [`broadcast_${name}`]: ofTwo(compose),
  [`_${name}`]: ofTwo(compose),
  [`_${name}_scalar`]: ofScalar(compose),
});

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

/** NumPy: an integer with a fraction becomes float64. */
export const ofNumpyScalar =
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

/**
 * Names of an operator of two operands: for any shapes, for equal ones, with a constant second and
 * first.
 */
export interface Names {
  readonly broadcast: string;
  readonly same?: string;
  readonly scalar: string;
  readonly reversed: string;
}

/**
 * The names of an operator without one for equal shapes; `mirror` is what it is with its operands
 * exchanged.
 */
export const both = (name: string, mirror = name): Names => ({
  broadcast: `broadcast_${name}`,
  scalar: `_${name}_scalar`,
  reversed: `_${mirror}_scalar`,
});

/** The one element of a constant that can stand as an attribute beside `other`. */
function scalarBeside(value: Value, other: Value): number | undefined {
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

/** The value of an operator of two operands, in its operands' type. */
export function combine(
  writer: GraphWriter,
  { broadcast, same, scalar, reversed }: Names,
  a: Value,
  b: Value,
): { op: string; inputs: readonly Operand[]; attributes: Attributes } {
  const [left, right] = [scalarBeside(a, b), scalarBeside(b, a)];
  if (right !== undefined) return { op: scalar, inputs: [a], attributes: { scalar: right } };
  if (left !== undefined) return { op: reversed, inputs: [b], attributes: { scalar: left } };
  const isSame =
    same !== undefined &&
    a.shape !== undefined &&
    b.shape !== undefined &&
    sameShape(a.shape, b.shape);
  return { op: isSame ? same : broadcast, inputs: [a, b], attributes: {} };
}
