import { ops } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { binary, unary } from '../vocabulary/one-to-one.js';
import type { ReadRules } from '../vocabulary/rule.js';

const toCore = {
  BitwiseAnd: binary(ops.BitwiseAnd),
  BitwiseOr: binary(ops.BitwiseOr),
  BitwiseXor: binary(ops.BitwiseXor),
  Invert: unary(ops.BitwiseNot),
  LeftShift: (node) =>
    node.graph.add(
      ops.BitShift,
      { a: node.input(0), b: node.input(1) },
      { direction: 'left' },
      node.options,
    ).y,
  RightShift: (node) =>
    node.graph.add(
      ops.BitShift,
      { a: node.input(0), b: node.input(1) },
      { direction: 'right' },
      node.options,
    ).y,
} satisfies ReadRules;

const noBits = gap('TensorFlow.js has no operators on bits');

const fromCore = {
  BitShift: noBits,
  BitwiseAnd: noBits,
  BitwiseNot: noBits,
  BitwiseOr: noBits,
  BitwiseXor: noBits,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on bits, read only: TensorFlow.js has none. */
export const bitwise = { toCore, fromCore };
