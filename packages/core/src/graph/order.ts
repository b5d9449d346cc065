import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Node } from './node.js';

/**
 * Nodes in an order in which each follows what it needs: the roots in turn, each behind those of
 * its needs that have not come yet. Throws `core/invalid-graph` that names a node of a cycle.
 */
export function inOrder(roots: Iterable<Node>, needs: (node: Node) => Iterable<Node>): Node[] {
  const order: Node[] = [];
  const state = new Map<Node, 'open' | 'done'>();
  for (const root of roots) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.at(-1)!;
      if (state.get(node) === 'done') {
        stack.pop();
        continue;
      }
      const waiting: Node[] = [];
      for (const needed of needs(node)) if (state.get(needed) !== 'done') waiting.push(needed);
      if (waiting.length === 0) {
        state.set(node, 'done');
        order.push(node);
        stack.pop();
      } else {
        if (state.get(node) === 'open' && waiting.some((p) => state.get(p) === 'open')) {
          throw coreDiagnostics.error('invalid-graph', {
            message: `${node} depends on itself.`,
            origin: { file: '', node: node.name, op: node.op.name },
          });
        }
        state.set(node, 'open');
        stack.push(...waiting.reverse());
      }
    }
  }
  return order;
}
