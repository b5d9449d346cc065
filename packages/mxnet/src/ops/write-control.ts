import { gap, type AttrValues, type Node, type ops, type Value, type WriteRules } from '@drover/core';
import type { GraphWriter } from '../export/graph-writer.js';

/** Writing of control flow, and of MXNet's own operators that core does not know. */
export const writeControl = {
  Attention: gap('it is written in simpler operators'),
  Call: gap('a call is written as the nodes of its function'),
  Foreign: (node, writer) => {
    const { format, type, reason, attributes } = node.attrs as AttrValues<(typeof ops.Foreign)['attrs']>;
    // A foreign operator keeps its attributes, but not its bodies.
    if (format !== 'mxnet' || type === '_foreach' || type === '_while_loop' || type === '_cond') return gap(reason);
    const given = Object.entries((attributes ?? {}) as Readonly<Record<string, string>>);
    return writer.node(type, (node as unknown as Node).inputs as Value[], Object.fromEntries(given), node.outputs as readonly Value[]);
  },
  If: gap('MXNet decides before it binds which branch fits its shapes'),
  Loop: gap('the number of its trips depends on data'),
  Scan: gap('its body is not written for MXNet'),
} satisfies Partial<WriteRules<GraphWriter>>;
