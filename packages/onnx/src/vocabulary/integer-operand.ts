import { toNumbers, type Shape, type Value } from '@drover/core';
import type { GraphWriter } from './graph-writer.js';
import type { SourceNode } from './source-node.js';

/**
 * Integers that are an attribute before a version and a constant operand from it on; undefined when
 * left out.
 */
export function constantInts(node: SourceNode, index: number): readonly number[] | undefined {
  return node.optional(index) && Array.from(toNumbers(node.constant(index)));
}

/** Most dimensions of a tensor: runtimes stop far below. */
const maxRank = 64;

/** An operand that states a shape. A short file can declare one of any length, so it is checked. */
export function shapeOperand(node: SourceNode, index: number): Value {
  const shape = node.input(index);
  const rank = shape.shape?.[0];
  if (typeof rank === 'number' && rank > maxRank)
    throw node.malformed(`its result would have ${rank} dimensions`);
  return shape;
}

/** Dimensions as an operand: the attribute's, or the operand itself where they depend on data. */
export function dimsOperand(
  writer: GraphWriter,
  dims: Shape | null,
  operand: Value | undefined,
): Value | string {
  return dims === null ? writer.int64(operand!) : writer.dims(dims);
}
