import { ops, sameDim, type Graph, type Node, type Value, type ValueType } from '@drover/core';
import { freshDim } from '@drover/core/format';
import type { SourceNode } from '../vocabulary/source-node.js';
import { listLength } from './tensor-list.js';

/** The two functions of a loop, as things that add their nodes to a graph. */
export interface LoopFunctions {
  condition(args: readonly Value[], graph: Graph): Value;
  body(args: readonly Value[], graph: Graph): readonly Value[];
}

/**
 * What a loop variable is: the same in all trips; a number that starts at `start` and grows by 1; a
 * list of which each trip writes the next item; or carried from trip to trip, with a type that
 * holds in all of them.
 */
export type Role =
  | { readonly kind: 'invariant' }
  | { readonly kind: 'counter'; readonly start: number }
  | { readonly kind: 'list'; readonly type: ValueType }
  | { readonly kind: 'carried'; readonly initial: Value; readonly type: ValueType };

/** The node that makes a value; undefined unless it is one of the operator. */
export const producedBy = (value: Value, op: Node['op']): Node | undefined =>
  value.producer?.op === op ? value.producer : undefined;

/** The item that a trip joins to a tensor that starts empty and holds those of the trips before. */
export function joinedItem(after: Value, before: Value): Value | undefined {
  const join = producedBy(after, ops.Concat as Node['op']);
  const [list, item] = join?.inputs ?? [];
  const wrapper = item && producedBy(item, ops.Unsqueeze as Node['op']);
  const isFirst =
    join?.is(ops.Concat) &&
    join.attrs.axis === 0 &&
    wrapper?.is(ops.Unsqueeze) &&
    wrapper.attrs.axes.join() === '0';
  return isFirst &&
    join.inputs.length === 2 &&
    list === before &&
    before.users.size === 1 &&
    after.users.size === 0
    ? wrapper.inputs[0]
    : undefined;
}

/** A type that holds for a variable before and after a trip. */
export function widened(before: ValueType, after: ValueType): ValueType {
  const { dtype, shape } = before;
  if (!shape || !after.shape || shape.length !== after.shape.length)
    return { dtype, shape: undefined };
  return {
    dtype,
    shape: shape.map((dim, axis) =>
      sameDim(dim, after.shape![axis]!) ? dim : freshDim('carried'),
    ),
  };
}

/** Whether a type holds for all values that another holds for, as far as their shapes tell. */
export const isSameType = (a: ValueType, b: ValueType): boolean =>
  a.shape === undefined ||
  (b.shape !== undefined &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, axis) => sameDim(dim, b.shape![axis]!)));

/**
 * Whether a widened dimension stands for what the body makes: another one each time it is built.
 */
export const isOpen = (dim: unknown) => String(dim).startsWith('?carried');

/**
 * A list as a tensor of zeros of its length, for items of a known shape. Throws
 * `core/foreign-op` when the shape is not known before the model runs.
 */
export function zeroList(node: SourceNode, list: Value, item: Value | undefined): Value {
  const [length] = listLength(list)?.elements ?? [];
  if (!item?.shape || length === undefined)
    throw node.unsupported(
      'it writes a list whose items have no shape that is known before the model runs',
    );
  const zero = node.graph.literal(item.dtype, [], [item.dtype === 'bool' ? false : 0]);
  return node.graph.add(
    ops.Expand,
    { x: zero },
    { shape: [length, ...item.shape] },
    node.step('list'),
  ).y;
}
