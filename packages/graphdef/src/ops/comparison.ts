import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { binary, plain, unary, type BinaryOp } from '../vocabulary/one-to-one.js';
import type { ReadRules, ToCore } from '../vocabulary/rule.js';

/** Negates what a comparison gives. */
const negated =
  (op: BinaryOp): ToCore =>
  (node) => {
    node.ignore('incompatible_shape_error');
    const equal = node.graph.add(
      op,
      { a: node.input(0), b: node.input(1) },
      {},
      node.step('not'),
    ).y;
    return node.graph.add(ops.Not, { x: equal }, {}, node.options).y;
  };

/**
 * Select takes a condition of the operands' shape, a scalar, or a vector that chooses whole rows.
 */
const readSelect: ToCore = (node) => {
  const [given, x, y] = [node.input(0), node.input(1), node.input(2)];
  const rank = x.rank ?? y.rank;
  const isRows = given.rank === 1 && rank !== undefined && rank > 1;
  const condition = isRows
    ? node.reshaped(given, [given.shape![0]!, ...new Array<number>(rank - 1).fill(1)], 'rows')
    : given;
  return node.graph.add(ops.Where, { condition, x, y }, {}, node.options).y;
};

const readIsFinite: ToCore = (node) => {
  const x = node.input(0);
  const nan = node.graph.add(ops.IsNaN, { x }, {}, node.step('nan')).y;
  const infinite = node.graph.add(
    ops.IsInf,
    { x },
    { positive: true, negative: true },
    node.step('infinite'),
  ).y;
  return node.graph.add(
    ops.Not,
    { x: node.graph.add(ops.Or, { a: nan, b: infinite }, {}, node.step('or')).y },
    {},
    node.options,
  ).y;
};

const equal: ToCore = (node) => {
  node.ignore('incompatible_shape_error');
  return binary(ops.Equal)(node);
};

const toCore = {
  Equal: equal,
  Greater: binary(ops.Greater),
  GreaterEqual: binary(ops.GreaterOrEqual),
  IsFinite: readIsFinite,
  IsInf: (node) =>
    node.graph.add(
      ops.IsInf,
      { x: node.input(0) },
      { positive: true, negative: true },
      node.options,
    ).y,
  IsNan: unary(ops.IsNaN),
  Less: binary(ops.Less),
  LessEqual: binary(ops.LessOrEqual),
  LogicalAnd: binary(ops.And),
  LogicalNot: unary(ops.Not),
  LogicalOr: binary(ops.Or),
  LogicalXor: binary(ops.Xor),
  NotEqual: negated(ops.Equal),
  Select: readSelect,
  SelectV2: (node) =>
    node.graph.add(
      ops.Where,
      { condition: node.input(0), x: node.input(1), y: node.input(2) },
      {},
      node.options,
    ).y,
} satisfies ReadRules;

const fromCore = {
  And: plain('LogicalAnd'),
  Equal: plain('Equal'),
  Greater: plain('Greater'),
  GreaterOrEqual: plain('GreaterEqual'),
  IsInf: (node, writer) => {
    const { x } = node.operands;
    const { positive, negative } = node.attrs;
    if (positive && negative) return writer.node('IsInf', [x], {}, node.outputs);
    const isOn = writer.step(positive ? 'Greater' : 'Less', [x, writer.scalar(x, 0)], {}, 'bool');
    const none = writer.step('LogicalAnd', [
      writer.step('IsInf', [x], {}, 'bool'),
      positive || negative ? isOn : writer.literal('bool', [], [0]),
    ]);
    return writer.set(node.outputs[0]!, none);
  },
  IsNaN: plain('IsNan'),
  Less: plain('Less'),
  LessOrEqual: plain('LessEqual'),
  Not: plain('LogicalNot'),
  Or: plain('LogicalOr'),
  Where: plain('SelectV2'),
  Xor: plain('NotEqual'),
} satisfies Partial<WriteRules<GraphWriter>>;

/** Comparisons, logic and choices, both directions. */
export const comparison = { toCore, fromCore };
