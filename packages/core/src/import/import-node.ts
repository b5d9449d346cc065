import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { DroverError } from '../diagnostics/diagnostic.js';
import type { Report } from '../diagnostics/report.js';
import { resultOf } from '../graph/origin.js';
import { Value } from '../graph/value.js';
import type { Json } from '../ops/attr.js';
import { foreign, foreignTypes } from '../ops/foreign.js';
import type { ValueType } from '../tensor/value-type.js';
import type { ImportedNode } from './imported-node.js';

/** Why an operator that core knows stays foreign. */
const untypedOperands = 'the types of its operands are not known';

/** What importing a node needs beside the node. */
export interface ImportedParts<N extends ImportedNode, M> {
  /**
   * Builds its meaning, or throws {@link ImportedNode.unsupported}; the reason where there is none.
   */
  readonly rule: ((node: N) => M | undefined | readonly (M | undefined)[]) | string;
  /** The source's names of its results, in order; undefined for those that nobody can use. */
  readonly results: readonly (string | undefined)[];
  /** Why whatever a rule finds wrong says nothing about the model, where that is so. */
  readonly excuse?: string | undefined;
  /** What of the node a foreign operator keeps. */
  foreign(): {
    /** Id of the format. */
    readonly format: string;
    readonly attributes: Json;
    /** Types of the results as far as the file states them. */
    readonly types: readonly (ValueType | undefined)[];
  };
}

function asForeign(
  node: ImportedNode,
  reason: string,
  cause: 'operator' | 'operands',
  { foreign: keep }: Pick<ImportedParts<never, unknown>, 'foreign'>,
): readonly Value[] {
  const { format, attributes, types } = keep();
  const attrs = { format, type: node.type, reason, cause, attributes, types: foreignTypes(types) };
  return node.graph.add(foreign, { inputs: node.given() }, attrs, node.options).outputs;
}

/**
 * What a node of the source makes: by its rule, or as a foreign operator with the reason. Values
 * that the node makes take the source's names; those that it passes on keep their own. What a rule
 * finds wrong is thrown as the error of this node, unless the types of its operands are only
 * guessed. `M` is what a format has beside values, such as sequences of them.
 */
export function importNode<N extends ImportedNode, M = Value>(
  node: N,
  parts: ImportedParts<N, M | Value>,
  report: Report,
): readonly (M | Value | undefined)[] {
  const { rule, results } = parts;
  let made: readonly (M | Value | undefined)[];
  try {
    if (typeof rule === 'string') throw node.unsupported(rule);
    const result = node.graph.standingFor(node.source, () => rule(node));
    made = Array.isArray(result) ? (result as readonly (M | undefined)[]) : [result as M];
    tellUnread(node, report);
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    const [first] = error.diagnostics;
    if (parts.excuse !== undefined) made = asForeign(node, parts.excuse, 'operator', parts);
    else if (error.failure === 'unsupported')
      made = asForeign(node, first?.reason ?? error.message, 'operator', parts);
    else if (node.given().some(({ isUntyped }) => isUntyped))
      made = asForeign(node, untypedOperands, 'operands', parts);
    else throw located(error, node);
  }
  made.forEach((value, i) => {
    const name = results[i];
    if (name === undefined || !(value instanceof Value) || !value.producer) return;
    if (value.origin?.relation !== 'part' || value.origin.node !== node.source) return;
    value.name = name;
    value.origin = resultOf(node.source, i, name);
  });
  return made;
}

function tellUnread(node: ImportedNode, report: Report): void {
  const { unread } = node;
  if (unread.length === 0) return;
  const reason = `it sets ${unread.join(', ')}, which nothing reads`;
  report.add(
    coreDiagnostics.diagnostic('attribute-ignored', {
      message: `${node.type} ${node.name}: ${reason}.`,
      reason,
      origin: node.origin,
    }),
  );
}

/** An error that does not say which node it is about, as the error of a node. */
function located(error: DroverError, node: ImportedNode): DroverError {
  if (error.diagnostics[0]?.origin.file !== '') return error;
  return new DroverError(
    error.failure,
    error.diagnostics.map((each) => ({ ...each, origin: { ...each.origin, ...node.origin } })),
  );
}
