import { Graph, ops, sameDim, type Region, type Value } from '@drover/core';
import type { SourceNode } from '../vocabulary/source-node.js';
import {
  isOpen,
  isSameType,
  joinedItem,
  widened,
  zeroList,
  type LoopFunctions,
  type Role,
} from './loop-variable.js';
import { isListOf, writtenItem } from './tensor-list.js';
import { boundsOf, counted, hasLength, isIncremented, tripsOf, type Bound } from './trip-count.js';

/** Loops in loops beyond this depth are not read: each is built more than once. */
const maxDepth = 5;

const maxAttempts = 8;

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

/** Takes out nodes whose results nothing needs: lists that loops have given a shape, counters. */
export function removeUnused(graph: Graph): void {
  const needed = new Set(graph.outputs.map(({ value }) => value));
  for (const node of graph.sorted().reverse())
    if (node.outputs.every((value) => value.users.size === 0 && !needed.has(value)))
      graph.remove(node);
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
