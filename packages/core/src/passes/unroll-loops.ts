import type { Graph } from '../graph/graph.js';
import { inlineGraph } from '../graph/inline.js';
import { loopTrips } from '../graph/loop-trips.js';
import type { Node } from '../graph/node.js';
import type { Value } from '../graph/value.js';
import { concat } from '../ops/concat.js';
import { loop } from '../ops/loop.js';
import { unsqueeze } from '../ops/unsqueeze.js';
import { definePass } from './define-pass.js';

/** Bounds of unrolling: longer loops stay. */
export interface UnrollLimits {
  readonly maxTrips: number;
  /** Most nodes that one loop may become. */
  readonly maxNodes: number;
}

function unroll(graph: Graph, node: Node<typeof loop>, trips: number): void {
  const { graph: body, captures } = node.regions['body']!;
  let state: readonly Value[] = node.operands.carried;
  const scanned = body.outputs.slice(1 + state.length).map((): Value[] => []);
  const { origin } = node;
  for (let trip = 0; trip < trips; trip++) {
    const before = new Set(graph.nodes);
    const [, ...values] = inlineGraph(body, graph, [
      graph.literal('int64', [], [trip]),
      graph.literal('bool', [], [true]),
      ...state,
      ...captures,
    ]);
    for (const made of graph.nodes) {
      if (before.has(made)) continue;
      made.name = `${node.name}/${trip}/${made.name}`;
      // The trip's own types, which the body knows for all trips only.
      graph.infer(made);
      for (const value of made.outputs) {
        value.name = `${node.name}/${trip}/${value.name}`;
        // It holds one trip of what the source makes in each.
        value.origin = value.origin && { ...value.origin, relation: 'part' };
      }
    }
    state = values.slice(0, state.length);
    values
      .slice(state.length)
      .forEach((value, i) =>
        scanned[i]!.push(
          graph.add(
            unsqueeze,
            { x: value },
            { axes: [0] },
            { name: `${node.name}/${trip}/item`, origin },
          ).y,
        ),
      );
  }
  const stacks = scanned.map(
    (items) => graph.add(concat, { inputs: items }, { axis: 0 }, { name: node.name, origin }).y,
  );
  node.outputs.forEach((value, i) => graph.replaceUses(value, [...state, ...stacks][i]!));
  graph.remove(node);
}

/**
 * A loop of few trips, their number known, becomes the nodes of its body once for each trip, for
 * formats without loops.
 *
 *     %a, %s = Loop(2, _, %x) { (%t, %c, %a) -> %b = Exp(%a); return true, %b, %b }
 *     %b0 = Exp(%x); %b1 = Exp(%b0); %s = Concat(Unsqueeze(%b0), Unsqueeze(%b1))
 */
export const unrollLoops = definePass<UnrollLimits>(
  'unroll-loops',
  ['layout', 'composites'],
  (graph, { maxTrips, maxNodes }) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      const trips = node.is(loop) ? loopTrips(node) : undefined;
      if (
        !node.is(loop) ||
        typeof trips !== 'number' ||
        trips < 1 ||
        trips > maxTrips ||
        trips * node.regions['body']!.graph.size > maxNodes
      )
        continue;
      unroll(graph, node, trips);
      edits++;
    }
    return edits;
  },
);
