import { integerRanges, type IntegerRanges } from '../analysis/integer-range.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { greaterOrEqual } from '../ops/greater-or-equal.js';
import { greater } from '../ops/greater.js';
import { lessOrEqual } from '../ops/less-or-equal.js';
import { less } from '../ops/less.js';
import { max } from '../ops/max.js';
import { min } from '../ops/min.js';
import { where } from '../ops/where.js';
import { sameDim } from '../tensor/dim.js';
import type { Interval } from '../tensor/interval.js';
import { definePass } from './define-pass.js';

/**
 * Whether each element of one interval is less than (or equal to) each of another; undefined where
 * it depends.
 */
function isLess(
  a: Interval | undefined,
  b: Interval | undefined,
  orEqual: boolean,
): boolean | undefined {
  if (!a || !b) return undefined;
  const holds = (x: bigint, y: bigint) => (orEqual ? x <= y : x < y);
  if (holds(a[1], b[0])) return true;
  return holds(a[0], b[1]) ? undefined : false;
}

/** The operand that a node always gives, if the ranges of integers tell. */
function chosen(node: Node, rangeOf: (value: Value) => Interval | undefined): Value | undefined {
  if (node.is(max) || node.is(min)) {
    const { a, b } = node.operands;
    const isFirst = isLess(rangeOf(a), rangeOf(b), true);
    const isSecond = isLess(rangeOf(b), rangeOf(a), true);
    if (isFirst) return node.is(min) ? a : b;
    if (isSecond) return node.is(min) ? b : a;
    return undefined;
  }
  if (!node.is(where)) return undefined;
  const { condition, x, y } = node.operands;
  const holds = comparison(condition.producer, rangeOf);
  return holds === undefined ? undefined : holds ? x : y;
}

function comparison(
  node: Node | undefined,
  rangeOf: (value: Value) => Interval | undefined,
): boolean | undefined {
  if (!node) return undefined;
  const [a, b] = node.inputs.map((value) => value && rangeOf(value));
  if (node.is(less) || node.is(lessOrEqual)) return isLess(a, b, node.is(lessOrEqual));
  return node.is(greater) || node.is(greaterOrEqual)
    ? isLess(b, a, node.is(greaterOrEqual))
    : undefined;
}

const isInteger = ({ dtype }: Value) => /int/.test(dtype);

function isSameType(a: Value, b: Value): boolean {
  return (
    a.dtype === b.dtype &&
    a.shape !== undefined &&
    b.shape !== undefined &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, i) => sameDim(dim, b.shape![i]!))
  );
}

function settle(graph: Graph, ranges: IntegerRanges): number {
  const rangeOf = (value: Value) => (isInteger(value) ? rangeOfElements(value, ranges) : undefined);
  let edits = 0;
  for (const node of graph.nodes) {
    for (const { graph: body } of Object.values(node.regions)) edits += settle(body, ranges);
    const [result] = node.outputs;
    const isUsed =
      result && (result.users.size > 0 || graph.outputs.some(({ value }) => value === result));
    const value = isUsed ? chosen(node, rangeOf) : undefined;
    if (!value || !isSameType(value, result!)) continue;
    graph.replaceUses(result!, value);
    edits++;
  }
  return edits;
}

function rangeOfElements(value: Value, ranges: IntegerRanges): Interval | undefined {
  const elements = value.constant?.peek()?.data;
  if (!elements || elements.length !== 1) return ranges.get(value)?.range;
  const element = BigInt(elements[0] as number | bigint);
  return [element, element];
}

/**
 * Choices between integers that can only end in one way, such as the guard of an index that is
 * never negative.
 *
 *     n = Less(i, 0)                    // 0 <= i
 *     k = Where(n, Add(i, size), i)  →  i
 */
export const settleChoices = definePass(
  'settle-choices',
  ['names', 'layout', 'composites'],
  (graph) => {
    // Bodies are settled with the graph around them, which bounds what they are given.
    if (graph.parent) return 0;
    const isChoice = (node: Node) => node.is(where) || node.is(max) || node.is(min);
    const hasChoice = (from: Graph): boolean =>
      [...from.nodes].some(
        (node) =>
          (isChoice(node) && isInteger(node.outputs[0]!)) ||
          Object.values(node.regions).some((body) => hasChoice(body.graph)),
      );
    return hasChoice(graph) ? settle(graph, integerRanges(graph)) : 0;
  },
);
