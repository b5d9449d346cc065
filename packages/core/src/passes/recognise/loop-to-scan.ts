import { cloneGraph } from '../../graph/clone.js';
import type { Graph } from '../../graph/graph.js';
import { loopTrips, readsCondition } from '../../graph/loop-trips.js';
import type { Node } from '../../graph/node.js';
import type { Value } from '../../graph/value.js';
import { cast } from '../../ops/cast.js';
import { gather } from '../../ops/gather.js';
import { loop } from '../../ops/loop.js';
import { scan } from '../../ops/scan.js';
import { unsqueeze } from '../../ops/unsqueeze.js';
import { sameDim, type Dim } from '../../tensor/dim.js';
import { definePass } from '../define-pass.js';

/**
 * The nodes that use a value of a body, seen through casts, and which cast each uses; undefined
 * among them for a result of the body.
 */
function usersOf(
  body: Graph,
  value: Value,
): readonly (readonly [user: Node | undefined, operand: Value])[] {
  const results = body.outputs
    .filter((output) => output.value === value)
    .map(() => [undefined, value] as const);
  return [
    ...results,
    ...[...value.users].flatMap((user) =>
      user.is(cast) ? usersOf(body, user.results.y) : [[user, value] as const],
    ),
  ];
}

/**
 * Puts the slices of what the body reads at the number of the trip in the place of those reads;
 * undefined if the body uses the number otherwise.
 */
function sliceInputs(
  body: Graph,
  captures: readonly Value[],
  trips: Dim,
): ReadonlyMap<number, Value> | undefined {
  const first = body.inputs.length - captures.length;
  const slices = new Map<number, Value>();
  const reads: { readonly read: Node<typeof gather>; readonly capture: number }[] = [];
  for (const [user, operand] of usersOf(body, body.inputs[0]!)) {
    const capture = user?.is(gather) ? body.inputs.indexOf(user.operands.x) - first : -1;
    const length = captures[capture]?.shape?.[0];
    if (
      !user?.is(gather) ||
      user.operands.indices !== operand ||
      user.attrs.axis !== 0 ||
      operand.rank !== 0 ||
      length === undefined ||
      !sameDim(length, trips)
    )
      return undefined;
    reads.push({ read: user, capture });
  }
  for (const { read, capture } of reads) {
    const { name, dtype, shape } = read.results.y;
    const slice = slices.get(capture) ?? body.input(name, dtype, shape);
    slices.set(capture, slice);
    body.replaceUses(read.results.y, slice);
  }
  for (const node of body.sorted().reverse())
    if (node.outputs.every((value) => value.users.size === 0) && (node.is(gather) || node.is(cast)))
      removeUnused(body, node);
  return slices.size > 0 ? slices : undefined;
}

function removeUnused(body: Graph, node: Node): void {
  if (!body.outputs.some(({ value }) => node.outputs.includes(value))) body.remove(node);
}

function toScan(graph: Graph, node: Node<typeof loop>): boolean {
  const trips = loopTrips(node);
  const region = node.regions['body']!;
  if (trips === undefined || trips === 0 || readsCondition(region.graph)) return false;
  const body = cloneGraph(region.graph, graph);
  const slices = sliceInputs(body, region.captures, trips);
  if (!slices) return false;
  const { carried } = node.operands;
  const first = 2 + carried.length;
  const kept = region.captures
    .map((value, i) => ({ value, input: body.inputs[first + i]! }))
    .filter(
      ({ input }) => input.users.size > 0 || body.outputs.some(({ value }) => value === input),
    );
  body.inputs.splice(
    0,
    body.inputs.length,
    ...body.inputs.slice(2, first),
    ...slices.values(),
    ...kept.map(({ input }) => input),
  );
  body.outputs.shift();
  const scanned = [...slices.keys()].map((i) => region.captures[i]!);
  const stacked = node.outputs.length - carried.length;
  const { outputs } = graph.add(
    scan,
    { inputs: [...carried, ...scanned] },
    {
      states: carried.length,
      inputAxes: scanned.map(() => 0),
      inputReverse: scanned.map(() => false),
      outputAxes: Array<number>(stacked).fill(0),
      outputReverse: Array<boolean>(stacked).fill(false),
    },
    {
      name: node.name,
      origin: node.origin,
      outputs: node.outputs.map(({ name }) => name),
      regions: { body: { graph: body, captures: kept.map(({ value }) => value) } },
    },
  );
  node.outputs.forEach((value, i) => {
    outputs[i]!.origin = value.origin;
    graph.replaceUses(value, outputs[i]!);
  });
  graph.remove(node);
  return true;
}

/**
 * Takes out a state that no step reads and that ends as another one does, possibly under a new
 * first axis.
 */
function dropFollower(graph: Graph, node: Node<typeof scan>): boolean {
  const { states } = node.attrs;
  const { graph: body, captures } = node.regions['body']!;
  const next = body.outputs.slice(0, states).map(({ value }) => value);
  const steps = node.operands.inputs[states]?.shape?.[node.attrs.inputAxes[0]!];
  // Without a step the state stays what it was. Named dimensions are 1 at least.
  if (steps === undefined || steps === 0) return false;
  for (let i = 0; i < states; i++) {
    const wrapper = next[i]!.producer;
    const leader = wrapper?.is(unsqueeze) ? wrapper.operands.x : next[i]!;
    const j = next.findIndex((value, k) => k !== i && value === leader);
    const isRead =
      body.inputs[i]!.users.size > 0 || body.outputs.some(({ value }) => value === body.inputs[i]);
    if (j < 0 || isRead) continue;
    const copy = cloneGraph(body, graph);
    copy.inputs.splice(i, 1);
    copy.outputs.splice(i, 1);
    const { outputs } = graph.add(
      scan,
      { inputs: node.operands.inputs.filter((_, k) => k !== i) },
      { ...node.attrs, states: states - 1 },
      {
        name: node.name,
        origin: node.origin,
        outputs: node.outputs.filter((_, k) => k !== i).map(({ name }) => name),
        regions: { body: { graph: copy, captures: [...captures] } },
      },
    );
    const results: Value[] = [...outputs];
    const last = outputs[j > i ? j - 1 : j]!;
    results.splice(
      i,
      0,
      wrapper?.is(unsqueeze)
        ? graph.add(unsqueeze, { x: last }, wrapper.attrs, { name: node.name, origin: node.origin })
            .y
        : last,
    );
    node.outputs.forEach((value, k) => graph.replaceUses(value, results[k]!));
    graph.remove(node);
    return true;
  }
  return false;
}

/**
 * A loop that runs over a sequence and reads it only at the number of the trip becomes a Scan of
 * it.
 *
 *     %y = Loop(%n, _) { (trip) -> … %x_t = Gather(%x, trip) {axis: 0} … }        // x: [n, …]
 *     %y = Scan(%x) { (%x_t) -> … }
 */
export const loopToScan = definePass('loop-to-scan', ['names', 'layout', 'composites'], (graph) => {
  let edits = 0;
  for (const node of graph.sorted()) {
    if (!node.is(loop)) continue;
    if (graph.standingFor(node.origin, () => toScan(graph, node))) edits++;
  }
  for (let more = true; more;) {
    more = graph
      .sorted()
      .some(
        (node) => node.is(scan) && graph.standingFor(node.origin, () => dropFollower(graph, node)),
      );
    if (more) edits++;
  }
  return edits;
});
