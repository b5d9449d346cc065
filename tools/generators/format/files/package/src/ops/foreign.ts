import { gap, type JsonValue, type WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';

const fromCore = {
  Foreign: (node, writer) => {
    const { format, type, reason, attributes } = node.attrs;
    if (format !== '__name__') return gap(reason);
    writer.write(type, node, attributes as Readonly<Record<string, JsonValue>>);
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** What core does not know goes back to where it came from. */
export const foreign = { fromCore };
