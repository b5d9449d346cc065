import type { Node, Value } from '@drover/core';
import type { Attributes, GraphWriter } from './graph-writer.js';
import type { SourceNode } from './source-node.js';

/**
 * Builds the meaning of an operator of the file in core and gives a value for each of its results,
 * in order.
 */
export type ToCore = (node: SourceNode) => Value | readonly Value[];

/** Rules by operator. */
export type ReadRules = Readonly<Record<string, ToCore>>;

/** Rules as a table: what a file says is looked up here. */
export type ReadTable = ReadonlyMap<string, ToCore>;

/** Writes a node as one operator with the same operands in the same order. */
export const writePlain =
  (type: string, attributes: Attributes = {}) =>
  (node: Node, writer: GraphWriter): void =>
    writer.write(type, node, attributes);
