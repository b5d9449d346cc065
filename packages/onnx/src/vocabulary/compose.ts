import {
  ops,
  productOf,
  type Dim,
  type DType,
  type Op,
  type Operand,
  type Shape,
  type Value,
} from '@drover/core';
import type { SourceNode } from './source-node.js';

type NoAttrs = Readonly<Record<never, never>>;

/** A core operator of one operand and no attributes. */
export type UnaryOp = Op<{ readonly x: Operand<'one'> }, { readonly y: Operand<'one'> }, NoAttrs>;

/** A core operator of two operands and no attributes. */
export type BinaryOp = Op<
  { readonly a: Operand<'one'>; readonly b: Operand<'one'> },
  { readonly y: Operand<'one'> },
  NoAttrs
>;

/**
 * Builds the several core nodes that together stand for one source node. Each is named after the
 * source node and a step; without a step it is the last one and has the node's own name.
 */
export class Compose {
  constructor(readonly node: SourceNode) {}

  #options(step: string | undefined) {
    return step === undefined ? this.node.options : this.node.step(step);
  }

  unary(op: UnaryOp, x: Value, step?: string): Value {
    return this.node.graph.add(op, { x }, {}, this.#options(step)).y;
  }

  binary(op: BinaryOp, a: Value, b: Value, step?: string): Value {
    return this.node.graph.add(op, { a, b }, {}, this.#options(step)).y;
  }

  /** A scalar constant. Throws `core/foreign-op` for a fraction of an integer type. */
  scalar(dtype: DType, value: number): Value {
    if (dtype.includes('int') && !Number.isInteger(value))
      throw this.node.unsupported(`it needs ${value} as ${dtype}`);
    return this.node.graph.literal(dtype, [], [value]);
  }

  /** Integers as int64 in one dimension. */
  ints(values: readonly number[]): Value {
    return this.node.graph.literal('int64', [values.length], values);
  }

  /** A value times a number; the value itself for 1. */
  scale(x: Value, factor: number, step?: string): Value {
    return factor === 1 ? x : this.binary(ops.Mul, x, this.scalar(x.dtype, factor), step);
  }

  /** Another element type; a constant only gets another handle. */
  cast(x: Value, to: DType, step?: string): Value {
    if (x.dtype === to) return x;
    if (x.constant) return this.node.graph.constant(x.constant.cast(to), x.name, x.origin);
    return this.node.graph.add(ops.Cast, { x }, { to }, this.#options(step)).y;
  }

  reshape(x: Value, shape: Shape, step?: string): Value {
    return this.node.graph.add(ops.Reshape, { x }, { shape }, this.#options(step)).y;
  }

  transpose(x: Value, perm: readonly number[], step?: string): Value {
    if (x.constant) return this.node.graph.constant(x.constant.transpose(perm), x.name, x.origin);
    return this.node.graph.add(ops.Transpose, { x }, { perm }, this.#options(step)).y;
  }

  unsqueeze(x: Value, axes: readonly number[], step?: string): Value {
    return this.node.graph.add(ops.Unsqueeze, { x }, { axes }, this.#options(step)).y;
  }

  squeeze(x: Value, axes: readonly number[], step?: string): Value {
    return this.node.graph.add(ops.Squeeze, { x }, { axes }, this.#options(step)).y;
  }

  concat(inputs: readonly Value[], axis: number, step?: string): Value {
    return this.node.graph.add(ops.Concat, { inputs }, { axis }, this.#options(step)).y;
  }

  gather(x: Value, indices: Value, axis: number, step?: string): Value {
    return this.node.graph.add(ops.Gather, { x, indices }, { axis }, this.#options(step)).y;
  }

  split(x: Value, axis: number, sizes: readonly Dim[], step?: string): readonly Value[] {
    return this.node.graph.add(ops.Split, { x }, { axis, sizes }, this.#options(step)).outputs;
  }

  slice(x: Value, axis: number, start: number, end: number, stride: number, step?: string): Value {
    return this.node.graph.add(
      ops.Slice,
      { x },
      { axes: [axis], starts: [start], ends: [end], steps: [stride] },
      this.#options(step),
    ).y;
  }

  mean(x: Value, axes: readonly number[], step?: string): Value {
    return this.node.graph.add(ops.ReduceMean, { x }, { axes, keepdims: true }, this.#options(step))
      .y;
  }

  where(condition: Value, x: Value, y: Value, step?: string): Value {
    return this.node.graph.add(ops.Where, { condition, x, y }, {}, this.#options(step)).y;
  }

  /** All elements in one dimension. */
  flat(x: Value, step: string): Value {
    return this.reshape(x, x.shape ? [productOf(x.shape)] : [-1], step);
  }

  /** The size of one dimension as an int64 scalar. */
  size(x: Value, axis: number, step: string): Value {
    const shape = this.node.graph.add(ops.Shape, { x }, {}, this.node.step(`${step}/shape`)).y;
    return this.gather(shape, this.scalar('int64', axis), 0, step);
  }

  /** 0, 1, 2 … below an int64 scalar. */
  count(limit: Value, step: string): Value {
    return this.node.graph.add(
      ops.Range,
      { start: this.scalar('int64', 0), limit, delta: this.scalar('int64', 1) },
      {},
      this.node.step(step),
    ).y;
  }
}

/** Dimensions of a value that must be known in number. Throws `core/foreign-op`. */
export function shapeOf(node: SourceNode, x: Value): Shape {
  if (x.shape) return x.shape;
  throw node.unsupported(`the rank of its operand ${x.name} is not known`);
}
