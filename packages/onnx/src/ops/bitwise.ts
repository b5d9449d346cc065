import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, readBinary, readUnary, writePlain, type ReadRules } from '../vocabulary/rule.js';
import { meaningOf } from '../vocabulary/word.js';

const shifts: ReadonlyMap<string, 'left' | 'right'> = new Map<string, 'left' | 'right'>([
  ['LEFT', 'left'],
  ['RIGHT', 'right'],
]);

const toCore = {
  BitShift: always(
    (node) =>
      node.graph.add(
        ops.BitShift,
        { a: node.input(0), b: node.input(1) },
        { direction: meaningOf(node, 'direction', shifts) },
        node.options,
      ).y,
  ),
  BitwiseAnd: always(readBinary(ops.BitwiseAnd)),
  BitwiseNot: always(readUnary(ops.BitwiseNot)),
  BitwiseOr: always(readBinary(ops.BitwiseOr)),
  BitwiseXor: always(readBinary(ops.BitwiseXor)),
} satisfies ReadRules;

const fromCore = {
  BitShift: (node, writer) =>
    writer.node(
      'BitShift',
      node.inputs,
      { direction: text(node.attrs.direction === 'left' ? 'LEFT' : 'RIGHT') },
      node.outputs,
    ),
  BitwiseAnd: writePlain('BitwiseAnd'),
  BitwiseNot: writePlain('BitwiseNot'),
  BitwiseOr: writePlain('BitwiseOr'),
  BitwiseXor: writePlain('BitwiseXor'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators on bits, both directions. */
export const bitwise = { toCore, fromCore };
