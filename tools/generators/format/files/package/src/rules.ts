import type { Node } from '@drover/core';
import { notYet, writeTable } from '@drover/core/format';
import { elementwise } from './ops/elementwise.js';
import { foreign } from './ops/foreign.js';
import { linear } from './ops/linear.js';
import { normalisation } from './ops/normalisation.js';
import type { GraphWriter } from './vocabulary/graph-writer.js';
import type { ReadTable, ToCore } from './vocabulary/rule.js';

/** How each operator is read. */
export const readRules: ReadTable = new Map(
  Object.entries<ToCore>({
    ...elementwise.toCore,
    ...linear.toCore,
    ...normalisation.toCore,
  }),
);

/** How each core operator is written. */
export const writeRules = writeTable<GraphWriter>({
  __notYet__: notYet,
  ...elementwise.fromCore,
  ...foreign.fromCore,
  ...linear.fromCore,
  ...normalisation.fromCore,
});

/** Whether a composite is written as one operator: where it has a rule. */
export function composites(node: Node): boolean {
  return typeof writeRules.get(node.op.name) === 'function';
}
