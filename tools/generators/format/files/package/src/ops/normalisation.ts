import { ops } from '@drover/core';
import type { WriteRules } from '@drover/core/format';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import type { ReadRules } from '../vocabulary/rule.js';

const toCore = {
  softmax: (node) =>
    node.graph.add(ops.Softmax, { x: node.input(0) }, { axis: node.int('axis') }, node.options).y,
} satisfies ReadRules;

const fromCore = {
  Softmax: (node, writer) => writer.write('softmax', node, { axis: node.attrs.axis }),
} satisfies Partial<WriteRules<GraphWriter>>;

/** What is scaled by what stands beside it. */
export const normalisation = { toCore, fromCore };
