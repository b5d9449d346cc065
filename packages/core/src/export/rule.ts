import type { Node } from '../graph/node.js';
import type { OpName, ops } from '../ops/ops.js';

/** Says that a format has no faithful form for an operator, and why. */
export interface Gap {
  readonly gap: string;
}

/** States that a format has no form for an operator. */
export const gap = (why: string): Gap => ({ gap: why });

/**
 * The gap of an operator that a format could write and does not yet: what is refused for it alone
 * is no failure of the format's tests.
 */
export const notYet: Gap = gap('it is not written yet');

/** An operator is not written, because something in its bodies is not, which is told already. */
export const toldInside: Gap = gap('');

/**
 * Writes a node in a format's own terms through the format's writer. A rule throws nothing for what
 * it cannot express: it gives the reason, which becomes a finding with the node's origin.
 */
export type WriteRule<O extends OpName, W> = (node: Node<(typeof ops)[O]>, writer: W) => Gap | void;

/**
 * What a format does with every operator of the core set: a rule or a stated gap for each, or it
 * does not compile.
 */
export type WriteRules<W> = { readonly [O in OpName]: WriteRule<O, W> | Gap };

/** What a format does with an operator, by the operator's name. */
export type WriteTable<W> = ReadonlyMap<string, WriteRule<OpName, W> | Gap>;

/** The rules of a format as a table. */
export const writeTable = <W>(rules: WriteRules<W>): WriteTable<W> =>
  new Map(Object.entries(rules)) as WriteTable<W>;
