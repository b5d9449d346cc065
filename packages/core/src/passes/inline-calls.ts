import { inlineGraph } from '../graph/inline.js';
import { call } from '../ops/call.js';
import { definePass } from './define-pass.js';

/**
 * Functions give way to the nodes that they consist of. Those keep their names and origins, which
 * the reader made the call's own.
 *
 *     y = Call(x) {"function":"f"}          y = Exp(x)
 *       body [] graph f(a) {          →
 *         b = Exp(a)
 *         return b
 *       }
 */
export const inlineCalls = definePass(
  'inline-calls',
  ['names', 'layout', 'composites'],
  (graph) => {
    let edits = 0;
    for (const node of graph.sorted()) {
      if (!node.is(call)) continue;
      const { graph: body, captures } = node.regions['body']!;
      const results = inlineGraph(body, graph, [...node.operands.operands, ...captures]);
      node.outputs.forEach((old, i) => {
        const value = results[i]!;
        if (value.producer && !node.operands.operands.includes(value)) {
          value.name = old.name;
          value.origin = old.origin;
        }
        graph.replaceUses(old, value);
      });
      graph.remove(node);
      edits++;
    }
    return edits;
  },
);
