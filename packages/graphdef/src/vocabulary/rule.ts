import type { Value } from '@drover/core';
import { gap } from '@drover/core/format';
import type { SourceNode } from './source-node.js';

/**
 * Builds the meaning of a source node in core and gives a value for each of its outputs, in order;
 * outputs that nobody can use may be undefined.
 */
export type ToCore = (node: SourceNode) => Value | readonly (Value | undefined)[];

/** Rules by TensorFlow operator. */
export type ReadRules = Readonly<Record<string, ToCore>>;

/** Rules as a table: what a file says is looked up here. */
export type ReadTable = ReadonlyMap<string, ToCore>;

/** Why a composite has no form of its own. */
export const decomposed = gap('it is written in simpler operators');
