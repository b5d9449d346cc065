import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { definePass } from './define-pass.js';

/**
 * Takes out nodes whose results nothing needs.
 *
 * ```
 * y = Exp(x)              y = Exp(x)
 * z = Log(y)          →
 * outputs: y              outputs: y
 * ```
 */
export const deadCode = definePass(
  'dead-code',
  ['names', 'layout', 'composites'],
  (graph: Graph) => {
    const needed = new Set(graph.outputs.map(({ value }) => value));
    const isDead = (node: Node) =>
      node.outputs.every((value) => value.users.size === 0 && !needed.has(value));
    let edits = 0;
    // From the last to the first, so that a chain of dead nodes goes in one run.
    for (const node of graph.sorted().reverse()) {
      if (!isDead(node)) continue;
      graph.remove(node);
      edits++;
    }
    return edits;
  },
);
