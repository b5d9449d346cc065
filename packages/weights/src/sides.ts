import type { Graph, Model, Node, TensorStore } from '@drover/core';
import { composed } from '@drover/core/format';
import { checkpointLayers } from './checkpoint-layers.js';
import { graphLayers, withBias, type GraphLayer } from './graph-layers.js';
import type { Operand } from './operand.js';
import type { Side } from './pair-sides.js';
import type { Rules } from './rules.js';

/** The side of a checkpoint, its names as rules change them. */
export function checkpointSide(store: TensorStore, rules?: Rules): Side<string> {
  const { layers, loose, isSorted } = checkpointLayers(store, rules?.rename);
  const isNumber = (name: string | undefined) => /^\d+$/.test(name ?? '');
  return {
    layers,
    loose,
    isOrdered: ({ names: [a] }, { names: [b] }) => {
      if (!isSorted) return true;
      const i = a!.path.findIndex((name, at) => name !== b!.path[at]);
      return isNumber(a!.path[i]) && isNumber(b!.path[i]);
    },
    tensor: (name) => {
      const stored = store.get(name);
      return stored && { place: stored.name, name: stored.name, weight: stored.weight };
    },
  };
}

/** The side of a model, with its graph as layers. */
export interface ModelSide extends Side<Operand> {
  readonly graph: Graph;
}

/** The side of a model: the layers of its main graph. */
export async function modelSide(model: Model): Promise<ModelSide> {
  const graph = await composed(model);
  const { layers, loose } = graphLayers(graph);
  const ancestors = new Map<Node, ReadonlySet<Node>>();
  const before = (node: Node): ReadonlySet<Node> => {
    const known = ancestors.get(node);
    if (known) return known;
    const found = new Set<Node>();
    const pending = [node];
    for (let each = pending.pop(); each; each = pending.pop())
      for (const { producer } of each.dependencies())
        if (producer && !found.has(producer)) {
          found.add(producer);
          pending.push(producer);
        }
    ancestors.set(node, found);
    return found;
  };
  const isBefore = (a: GraphLayer, b: GraphLayer) =>
    a.node === b.node || before(b.node).has(a.node);
  return {
    graph,
    layers,
    loose,
    tensor: (name) => loose.find((each) => each.name === name),
    withBias: (layer) => withBias(layer as GraphLayer),
    // Of two layers, one is computed from the other.
    isOrdered: (a, b) =>
      isBefore(a as GraphLayer, b as GraphLayer) || isBefore(b as GraphLayer, a as GraphLayer),
  };
}
