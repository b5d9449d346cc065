import {
  isFloat,
  isStatic,
  ops,
  type Dim,
  type DType,
  type Op,
  type Operand,
  type Shape,
  type Value,
} from '@drover/core';
import { isDataDependent } from '@drover/core/format';
import type { SourceNode } from './source-node.js';

/** Core operators of one operand without attributes. */
export type UnaryOp = Op<
  { readonly x: Operand<'one'> },
  { readonly y: Operand<'one'> },
  Record<never, never>
>;

/** Core operators of two operands without attributes. */
export type BinaryOp = Op<
  { readonly a: Operand<'one'>; readonly b: Operand<'one'> },
  { readonly y: Operand<'one'> },
  Record<never, never>
>;

/** Adds a node of one operand; without a step it takes the source node's place. */
export function unary(node: SourceNode, op: UnaryOp, x: Value, step?: string): Value {
  return node.graph.add(op, { x }, {}, step === undefined ? node.options : node.step(step)).y;
}

/** Adds a node of two operands; without a step it takes the source node's place. */
export function binary(node: SourceNode, op: BinaryOp, a: Value, b: Value, step?: string): Value {
  return node.graph.add(op, { a, b }, {}, step === undefined ? node.options : node.step(step)).y;
}

/** A scalar constant of an element type; for integers MXNet cuts the fraction off. */
export function scalarOf(node: SourceNode, dtype: DType, value: number): Value {
  return node.graph.literal(dtype, [], [isFloat(dtype) ? value : Math.trunc(value)]);
}

/** A value in another element type. */
export function cast(node: SourceNode, x: Value, to: DType, step?: string): Value {
  return x.dtype === to
    ? x
    : node.graph.add(ops.Cast, { x }, { to }, step === undefined ? node.options : node.step(step))
        .y;
}

/** Whether elements are not zero. */
export function truth(node: SourceNode, x: Value, step: string): Value {
  return cast(node, x, 'bool', step);
}

/** Dimensions in another order; a constant only gets another handle. */
export function transposed(
  node: SourceNode,
  x: Value,
  perm: readonly number[],
  step?: string,
): Value {
  if (perm.every((p, i) => p === i)) return x;
  if (x.constant) return node.graph.constant(x.constant.transpose(perm), x.name, x.origin);
  return node.graph.add(
    ops.Transpose,
    { x },
    { perm },
    step === undefined ? node.options : node.step(step),
  ).y;
}

/** The last two dimensions exchanged. */
export function matrixTransposed(node: SourceNode, x: Value, step: string): Value {
  if (x.rank === undefined) throw node.unsupported('the rank of its input is not known');
  const { rank } = x;
  return transposed(
    node,
    x,
    Array.from({ length: rank }, (_, i) => (i < rank - 2 ? i : 2 * rank - 3 - i)),
    step,
  );
}

/**
 * Integer numbers from 0 up, below 2^24 exact in float32: float indices as MXNet keeps them, cut to
 * integers as it does.
 */
export function indicesOf(node: SourceNode, x: Value, step = 'indices'): Value {
  return x.dtype === 'int64' || x.dtype === 'int32' ? x : cast(node, x, 'int64', step);
}

/** So many numbers that follow from sizes alone are written out. */
const maxNumbers = 2 ** 22;

/** Throws `core/foreign-op` for more numbers than are written out. */
export function checkCount(node: SourceNode, count: number): void {
  if (!(count <= maxNumbers))
    throw node.unsupported(`it makes ${count} numbers, and at most ${maxNumbers} are written out`);
}

/** Operators that MXNet defines on integers too, but core on floats only. */
export const viaFloat = (node: SourceNode, x: Value): Value =>
  isFloat(x.dtype) ? x : cast(node, x, 'float32', 'float');

/** The same elements in another shape; a constant only gets another handle. */
export function reshaped(node: SourceNode, x: Value, wanted: Shape, step?: string): Value {
  // One size that depends on data is what remains of the others.
  const isOpen = wanted.filter(isDataDependent).length === 1 && !wanted.includes(-1);
  const shape = isOpen ? wanted.map((dim) => (isDataDependent(dim) ? -1 : dim)) : wanted;
  if (shape.some(isDataDependent)) throw node.unsupported('its shape depends on data');
  if (x.constant && isStatic(shape) && !shape.includes(-1))
    return node.graph.constant(x.constant.reshape(shape), x.name, x.origin);
  return node.graph.add(
    ops.Reshape,
    { x },
    { shape },
    step === undefined ? node.options : node.step(step),
  ).y;
}

/** 0, 1, … as int64 in one dimension. */
export function countTo(node: SourceNode, size: Dim, step: string): Value {
  if (isDataDependent(size)) throw node.unsupported('how far it counts depends on data');
  const whole = node.graph.add(ops.Dims, {}, { values: [size] }, node.step(`${step}/size`)).y;
  const limit = node.graph.add(
    ops.Squeeze,
    { x: whole },
    { axes: [0] },
    node.step(`${step}/limit`),
  ).y;
  const int = (value: number) => node.graph.literal('int64', [], [value]);
  return node.graph.add(ops.Range, { start: int(0), limit, delta: int(1) }, {}, node.step(step)).y;
}
