import { Graph, ops, sameDim, type DType, type Node, type Value } from '@drover/core';
import type { SourceNode } from '../vocabulary/source-node.js';
import { producedBy, type LoopFunctions, type Role } from './loop-variable.js';
import { listLength } from './tensor-list.js';

const isOne = (value: Value) => value.elements?.length === 1 && value.elements[0] === 1;

/** Whether a value is another plus 1. */
export function isIncremented(value: Value, from: Value): boolean {
  const sum = producedBy(value, ops.Add as Node['op']);
  const [a, b] = sum?.inputs ?? [];
  return (
    a !== undefined && b !== undefined && ((a === from && isOne(b)) || (b === from && isOne(a)))
  );
}

/** The most trips, for each way in which a counter bounds them. */
export interface Bound {
  readonly counter: number;
  readonly limit: Value;
  readonly isInclusive: boolean;
}

/**
 * The bounds of counters that the condition consists of; undefined when there is more to it.
 * `counts` says which variables grow by 1.
 */
export function boundsOf(
  outer: Graph,
  initial: readonly Value[],
  roles: readonly Role[],
  counts: readonly boolean[],
  functions: LoopFunctions,
): readonly Bound[] | undefined {
  const graph = new Graph('condition', outer);
  const around = new Map<Value, Value>();
  const args = initial.map((value, i) => {
    if (roles[i]!.kind !== 'invariant') return graph.input(`arg_${i}`, value.dtype, value.shape);
    const captured = graph.capture(value);
    around.set(captured, value);
    return captured;
  });
  const bounds: Bound[] = [];
  const open = [functions.condition(args, graph)];
  for (let value = open.pop(); value; value = open.pop()) {
    const [a, b] = value.producer?.inputs ?? [];
    const op = value.producer?.op.name;
    if (!a || !b || !op) return undefined;
    if (op === 'And') {
      open.push(a, b);
      continue;
    }
    const isTurned = op === 'Greater' || op === 'GreaterOrEqual';
    const [small, large] = isTurned ? [b, a] : [a, b];
    const counter = args.indexOf(small);
    const limit = around.get(large) ?? (large.constant ? large : undefined);
    if (
      !/^(Less|Greater)(OrEqual)?$/.test(op) ||
      !counts[counter] ||
      !limit ||
      limit.shape?.length !== 0
    )
      return undefined;
    bounds.push({ counter, limit, isInclusive: op.endsWith('OrEqual') });
  }
  return bounds.length > 0 ? bounds : undefined;
}

/** The number of trips as an int64 scalar of the graph around the loop. */
export function tripsOf(
  node: SourceNode,
  bounds: readonly Bound[],
  starts: readonly (number | undefined)[],
): Value {
  const { graph } = node;
  const counts = bounds.map(({ counter, limit, isInclusive }) => {
    const wide =
      limit.dtype === 'int64'
        ? limit
        : graph.add(ops.Cast, { x: limit }, { to: 'int64' }, node.step('limit')).y;
    const first = starts[counter]! - (isInclusive ? 1 : 0);
    return first === 0
      ? wide
      : graph.add(
          ops.Sub,
          { a: wide, b: graph.literal('int64', [], [first]) },
          {},
          node.step('limit'),
        ).y;
  });
  return counts.reduce((a, b) => graph.add(ops.Min, { a, b }, {}, node.step('trips')).y);
}

/** Whether a list is as long as there are trips; one that starts empty always is. */
export function hasLength(list: Value, trips: Value | undefined): boolean {
  const length = listLength(list);
  if (!length) return true;
  const [known, count] = [length.elements?.[0], trips?.elements?.[0]];
  const source = trips?.producer?.op.name === 'Cast' ? trips.producer.inputs[0] : trips;
  return length === source || (known !== undefined && count !== undefined && sameDim(known, count));
}

/** A counter after the loop. */
export function counted(node: SourceNode, dtype: DType, start: number, trips: Value): Value {
  const { graph } = node;
  const made = graph.add(
    ops.Max,
    { a: trips, b: graph.literal('int64', [], [0]) },
    {},
    node.step('trips'),
  ).y;
  const end = graph.add(
    ops.Add,
    { a: made, b: graph.literal('int64', [], [start]) },
    {},
    node.step('counter'),
  ).y;
  return dtype === 'int64'
    ? end
    : graph.add(ops.Cast, { x: end }, { to: dtype }, node.step('counter')).y;
}
