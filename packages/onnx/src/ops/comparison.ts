import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import { int } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, readBinary, readUnary, writePlain, type ReadRules } from '../vocabulary/rule.js';

const toCore = {
  And: always(readBinary(ops.And)),
  Equal: always(readBinary(ops.Equal)),
  Greater: always(readBinary(ops.Greater)),
  GreaterOrEqual: always(readBinary(ops.GreaterOrEqual)),
  IsInf: always(
    (node) =>
      node.graph.add(
        ops.IsInf,
        { x: node.input(0) },
        {
          positive: node.int('detect_positive', 1) === 1,
          negative: node.int('detect_negative', 1) === 1,
        },
        node.options,
      ).y,
  ),
  IsNaN: always(readUnary(ops.IsNaN)),
  Less: always(readBinary(ops.Less)),
  LessOrEqual: always(readBinary(ops.LessOrEqual)),
  Not: always(readUnary(ops.Not)),
  Or: always(readBinary(ops.Or)),
  Where: always(
    (node) =>
      node.graph.add(
        ops.Where,
        { condition: node.input(0), x: node.input(1), y: node.input(2) },
        {},
        node.options,
      ).y,
  ),
  Xor: always(readBinary(ops.Xor)),
} satisfies ReadRules;

const fromCore = {
  And: writePlain('And'),
  Equal: writePlain('Equal'),
  Greater: writePlain('Greater'),
  GreaterOrEqual: writePlain('GreaterOrEqual'),
  IsInf: (node, writer) =>
    writer.node(
      'IsInf',
      node.inputs,
      { detect_positive: int(node.attrs.positive), detect_negative: int(node.attrs.negative) },
      node.outputs,
    ),
  IsNaN: writePlain('IsNaN'),
  Less: writePlain('Less'),
  LessOrEqual: writePlain('LessOrEqual'),
  Not: writePlain('Not'),
  Or: writePlain('Or'),
  Where: writePlain('Where'),
  Xor: writePlain('Xor'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Comparisons, logic and choices, both directions. */
export const comparison = { toCore, fromCore };
