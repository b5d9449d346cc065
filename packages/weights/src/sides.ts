import type { Graph, Model, Node, TensorStore } from '@drover/core';
import { composed } from '@drover/core/format';
import { checkpointLayers } from './checkpoint-layers.js';
import { graphLayers, type GraphLayer, type Operand } from './graph-layers.js';
import type { Layer } from './layer.js';
import type { Side } from './pair-sides.js';

/** The side of a checkpoint. */
export function checkpointSide(store: TensorStore): Side<string> {
  return {
    ...checkpointLayers(store),
    tensor: (name) => {
      const stored = store.get(name);
      return stored && { place: name, name, weight: stored.weight };
    },
  };
}

/** The side of a model, with its graph as layers. */
export interface ModelSide extends Side<Operand> {
  readonly graph: Graph;
  /** Whether one layer is computed from the other. */
  isOrdered(a: Layer<Operand>, b: Layer<Operand>): boolean;
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
  const isBefore = (a: GraphLayer, b: GraphLayer) => a.node === b.node || before(b.node).has(a.node);
  return {
    graph,
    layers,
    loose,
    tensor: (name) => loose.find((each) => each.name === name),
    isOrdered: (a, b) =>
      isBefore(a as GraphLayer, b as GraphLayer) || isBefore(b as GraphLayer, a as GraphLayer),
  };
}
