import {
  Graph,
  ops,
  sameDim,
  type DType,
  type Node,
  type Region,
  type Value,
  type ValueType,
} from '@drover/core';
import { freshDim } from '@drover/core/format';
import { isListOf, listLength, writtenItem } from './tensor-list.js';
import type { SourceNode } from '../vocabulary/source-node.js';

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
type Role =
  | { readonly kind: 'invariant' }
  | { readonly kind: 'counter'; readonly start: number }
  | { readonly kind: 'list'; readonly type: ValueType }
  | { readonly kind: 'carried'; readonly initial: Value; readonly type: ValueType };

/** Loops in loops beyond this depth are not read: each is built more than once. */
const maxDepth = 5;
const maxAttempts = 8;

const producedBy = (value: Value, op: Node['op']): Node | undefined =>
  value.producer?.op === op ? value.producer : undefined;
const isOne = (value: Value) => value.elements?.length === 1 && value.elements[0] === 1;

/** Whether a value is another plus 1. */
function isIncremented(value: Value, from: Value): boolean {
  const sum = producedBy(value, ops.Add as Node['op']);
  const [a, b] = sum?.inputs ?? [];
  return (
    a !== undefined && b !== undefined && ((a === from && isOne(b)) || (b === from && isOne(a)))
  );
}

/** The item that a trip joins to a tensor that starts empty and holds those of the trips before. */
function joinedItem(after: Value, before: Value): Value | undefined {
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

/** A body under construction. */
interface Attempt {
  readonly graph: Graph;
  readonly trip: Value;
  readonly args: readonly Value[];
  readonly results: readonly Value[];
}

function build(
  node: SourceNode,
  initial: readonly Value[],
  roles: readonly Role[],
  functions: LoopFunctions,
): Attempt {
  const graph = new Graph('body', node.graph);
  const trip = graph.input('trip', 'int64', []);
  graph.input('goes', 'bool', []);
  const parameters = roles.map((role, i) => {
    if (role.kind === 'carried')
      return graph.input(`carried_${i}`, role.type.dtype, role.type.shape);
    return role.kind === 'list'
      ? graph.input(`list_${i}`, role.type.dtype, role.type.shape)
      : undefined;
  });
  const args = roles.map((role, i): Value => {
    if (role.kind === 'invariant') return graph.capture(initial[i]!);
    if (role.kind !== 'counter') return parameters[i]!;
    const { dtype } = initial[i]!;
    const count =
      dtype === 'int64'
        ? trip
        : graph.add(ops.Cast, { x: trip }, { to: dtype }, node.step('trip')).y;
    return role.start === 0
      ? count
      : graph.add(
          ops.Add,
          { a: count, b: graph.literal(dtype, [], [role.start]) },
          {},
          node.step('counter'),
        ).y;
  });
  return { graph, trip, args, results: functions.body(args, graph) };
}

/** The most trips, for each way in which a counter bounds them. */
interface Bound {
  readonly counter: number;
  readonly limit: Value;
  readonly isInclusive: boolean;
}

/**
 * The bounds of counters that the condition consists of; undefined when there is more to it.
 * `counts` says which variables grow by 1.
 */
function boundsOf(
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
function tripsOf(
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

/** A type that holds for a variable before and after a trip. */
function widened(before: ValueType, after: ValueType): ValueType {
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

const isSameType = (a: ValueType, b: ValueType): boolean =>
  a.shape === undefined ||
  (b.shape !== undefined &&
    a.shape.length === b.shape.length &&
    a.shape.every((dim, axis) => sameDim(dim, b.shape![axis]!)));

/**
 * Whether a widened dimension stands for what the body makes: another one each time it is built.
 */
const isOpen = (dim: unknown) => String(dim).startsWith('?carried');

/** Takes out nodes whose results nothing needs: lists that loops have given a shape, counters. */
export function removeUnused(graph: Graph): void {
  const needed = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.sorted().reverse())
    if (node.outputs.every((value) => value.users.size === 0 && !needed.has(value)))
      graph.remove(node);
}

/**
 * A list as a tensor of zeros of its length, for items of a known shape. Throws
 * `core/foreign-op` when the shape is not known before the model runs.
 */
function zeroList(node: SourceNode, list: Value, item: Value | undefined): Value {
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

/**
 * A While loop of TensorFlow as a Loop, with the results of all its variables. `isList` says which
 * variables are lists of tensors.
 */
export function buildLoop(
  node: SourceNode,
  initial: readonly Value[],
  functions: LoopFunctions,
): readonly Value[] {
  const { graph: outer } = node;
  if (outer.depth >= maxDepth) throw node.unsupported(`its loops nest deeper than ${maxDepth}`);
  let roles = initial.map((value): Role =>
    isListOf(value)
      ? { kind: 'list', type: { dtype: value.dtype, shape: undefined } }
      : { kind: 'carried', initial: value, type: { dtype: value.dtype, shape: value.shape } },
  );
  let bounds: readonly Bound[] | undefined;
  let trips: Value | undefined;
  for (let tries = 0; tries < maxAttempts; tries++) {
    const attempt = build(node, initial, roles, functions);
    const { args, results } = attempt;
    if (results.length !== initial.length)
      throw node.unsupported('its body gives another number of values than it takes');
    const before = JSON.stringify(roles.map(({ kind }) => kind));
    roles = roles.map((role, i): Role => {
      if (results[i] === args[i]) return { kind: 'invariant' };
      const isEmpty = role.kind === 'carried' && initial[i]!.shape?.[0] === 0;
      return isEmpty && joinedItem(results[i]!, args[i]!)
        ? { kind: 'list', type: role.type }
        : role;
    });
    if (!bounds) {
      const counts = roles.map(
        (role, i) =>
          role.kind === 'carried' &&
          typeof initial[i]!.elements?.[0] === 'number' &&
          initial[i]!.rank === 0 &&
          isIncremented(results[i]!, args[i]!),
      );
      bounds = boundsOf(outer, initial, roles, counts, functions);
      if (bounds) {
        const starts = initial.map(({ elements }) => elements?.[0] as number | undefined);
        trips = tripsOf(node, bounds, starts);
        roles = roles.map((role, i) => (counts[i] ? { kind: 'counter', start: starts[i]! } : role));
      }
    }
    if (before !== JSON.stringify(roles.map(({ kind }) => kind))) continue;
    const items = roles.map((role, i) => {
      if (role.kind !== 'list') return undefined;
      const joined = joinedItem(results[i]!, args[i]!);
      if (joined) return { item: joined, isNext: true };
      return writtenItem(
        results[i]!,
        args[i]!,
        (index) => isTrip(index, attempt, roles),
        hasLength(initial[i]!, trips),
      );
    });
    let isSettled = true;
    roles = roles.map((role, i): Role => {
      if (role.kind === 'list' && !items[i]?.isNext) {
        isSettled = false;
        const list = zeroList(node, initial[i]!, items[i]?.item);
        return { kind: 'carried', initial: list, type: { dtype: list.dtype, shape: list.shape } };
      }
      if (role.kind !== 'carried') return role;
      const result = results[i]!.type;
      const isKept =
        isSameType(role.type, result) ||
        role.type.shape?.every(
          (dim, axis) => isOpen(dim) || sameDim(dim, result.shape?.[axis] ?? -1),
        );
      if (isKept && result.dtype === role.type.dtype) return role;
      isSettled = false;
      return { ...role, type: widened(role.type, result) };
    });
    if (isSettled)
      return finish(
        node,
        initial,
        roles,
        functions,
        attempt,
        items.map((each) => each?.item),
        trips,
      );
  }
  throw node.unsupported('the types of its variables do not settle');
}

/** Whether a value of the body is the number of the trip. */
function isTrip(index: Value, { args }: Attempt, roles: readonly Role[]): boolean {
  const role = roles[args.indexOf(index)];
  return role?.kind === 'counter' && role.start === 0;
}

/** Whether a list is as long as there are trips; one that starts empty always is. */
function hasLength(list: Value, trips: Value | undefined): boolean {
  const length = listLength(list);
  if (!length) return true;
  const [known, count] = [length.elements?.[0], trips?.elements?.[0]];
  const source = trips?.producer?.op.name === 'Cast' ? trips.producer.inputs[0] : trips;
  return length === source || (known !== undefined && count !== undefined && sameDim(known, count));
}

function finish(
  node: SourceNode,
  initial: readonly Value[],
  roles: readonly Role[],
  functions: LoopFunctions,
  { graph, args, results }: Attempt,
  items: readonly (Value | undefined)[],
  trips: Value | undefined,
): readonly Value[] {
  const { graph: outer } = node;
  const carried = roles.flatMap((role, i) => (role.kind === 'carried' ? [i] : []));
  const scanned = roles.flatMap((role, i) => (role.kind === 'list' ? [i] : []));
  graph.output(
    'goes',
    trips ? graph.literal('bool', [], [true]) : functions.condition(results, graph),
  );
  for (const i of carried) graph.output(`carried_${i}`, results[i]!);
  for (const i of scanned) graph.output(`item_${i}`, items[i]!);
  removeUnused(graph);
  for (const i of scanned) graph.inputs.splice(graph.inputs.indexOf(args[i]!), 1);
  const starts = carried.map((i) => (roles[i] as Role & { kind: 'carried' }).initial);
  const condition = trips
    ? undefined
    : functions.condition(
        initial.map((value, i) => starts[carried.indexOf(i)] ?? value),
        outer,
      );
  const { outputs } = outer.add(
    ops.Loop,
    { maxTrips: trips, condition, carried: starts },
    { carried: carried.length },
    { ...node.options, regions: { body: usedRegion(graph) } },
  );
  const order = [...carried, ...scanned];
  return roles.map((role, i) => {
    if (role.kind === 'invariant') return initial[i]!;
    return role.kind === 'counter'
      ? counted(node, initial[i]!.dtype, role.start, trips!)
      : outputs[order.indexOf(i)]!;
  });
}

/** A body with those of its captures that it uses. */
function usedRegion(graph: Graph): Region {
  const { captures } = graph.region();
  const first = graph.inputs.length - captures.length;
  const used = captures
    .map((value, i) => ({ value, input: graph.inputs[first + i]! }))
    .filter(
      ({ input }) => input.users.size > 0 || graph.outputs.some(({ value }) => value === input),
    );
  graph.inputs.splice(first, captures.length, ...used.map(({ input }) => input));
  return { graph, captures: used.map(({ value }) => value) };
}

/** A counter after the loop. */
function counted(node: SourceNode, dtype: DType, start: number, trips: Value): Value {
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
