import type { Graph, Value } from '@drover/core';

/** The constants that the nodes of a graph and of its bodies use, one value for each weight. */
export function constantsOf(graph: Graph): Value[] {
  const found = new Map<unknown, Value>();
  const collect = (each: Graph): void => {
    for (const node of each.nodes) {
      for (const value of node.dependencies()) if (value.constant) found.set(value.constant, value);
      for (const region of Object.values(node.regions)) collect(region.graph);
    }
  };
  collect(graph);
  return [...found.values()];
}
