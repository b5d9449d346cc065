import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { DroverError, type Diagnostic } from '../diagnostics/diagnostic.js';
import type { WriteContext } from '../format/format.js';
import type { Graph } from '../graph/graph.js';
import type { Node } from '../graph/node.js';
import { nameOf, reshapedOrigin } from '../graph/origin.js';
import type { Value } from '../graph/value.js';
import type { Shape } from '../tensor/dim.js';
import { foreign } from '../ops/foreign.js';
import { gap, toldInside, type WriteTable } from './rule.js';

/** What a format's writer of one graph offers to {@link writeNodes}. */
export interface NodeWriter {
  readonly graph: Graph;
  /** Starts a node: what is written now stands for it. */
  begin(node: Node): void;
  /** Whether a node was written together with another one. */
  isWritten?(node: Node): boolean;
  /** Why the target cannot hold what a node gives or is given, whatever it does. */
  refusal?(node: Node): string | undefined;
  /** Why what was written since {@link NodeWriter.begin} is not valid in the target. */
  readonly misfit?: string | undefined;
  /**
   * Lets something stand for the results of a node that could not be written, so that those after
   * it can still be looked at.
   */
  lose(node: Node): void;
  /** The target's name of a value that was written; undefined for one that has none there. */
  written(value: Value): string | undefined;
  /** The shape by which the target holds a value, where that is not its own. */
  heldShape?(value: Value): Shape | undefined;
}

/** The finding that a node has no form in the target. */
function gapFinding(node: Node, reason: string): Diagnostic {
  const { file, op } = node.origin;
  const name = nameOf(node.origin);
  const code = node.is(foreign) ? 'foreign-op' : 'not-convertible';
  const message = `${op} ${name}: ${reason}.`;
  return coreDiagnostics.diagnostic(code, { message, reason, origin: { file, node: name, op } });
}

/**
 * Why a node is not written, once it has been tried; undefined when it was. `isNews` says whether
 * that is a cause of its own, and not one that follows from another node.
 */
function attempt<W extends NodeWriter>(
  node: Node,
  writer: W,
  rules: WriteTable<W>,
): { readonly reason: string; readonly isNews: boolean } | undefined {
  const isGuess = [...node.dependencies()].some(({ isUntyped }) => isUntyped);
  const refused = writer.refusal?.(node);
  if (refused !== undefined) return { reason: refused, isNews: !isGuess };
  const rule = rules.get(node.op.name) ?? gap('it is no operator of the core set');
  const isKnown = typeof rule !== 'function';
  // The types that a rule goes by are guessed, and what an unknown operator brings about is told.
  const isNews = node.is(foreign) ? node.attrs.cause === 'operator' : isKnown || !isGuess;
  try {
    const missing = isKnown ? rule : rule(node as never, writer);
    const reason = missing ? missing.gap : writer.misfit;
    return reason === undefined ? undefined : { reason, isNews: isNews && missing !== toldInside };
  } catch (error) {
    if (!(error instanceof DroverError) || error.failure !== 'unsupported') throw error;
    const [first] = error.diagnostics;
    return { reason: first?.reason ?? error.message, isNews };
  }
}

const resultsOf = ({ outputs }: Node): readonly Value[] => outputs;

/**
 * Writes every node of a graph by its rule, each after what it needs. What cannot be written is
 * reported with the node's origin, every cause once: what only rests on a result of unknown type is
 * not told again, and the nodes after a gap are still looked at. Gives whether all were written.
 */
export function writeNodes<W extends NodeWriter>(
  writer: W,
  rules: WriteTable<W>,
  { report, value: note }: Pick<WriteContext, 'report' | 'value'>,
): boolean {
  let isWhole = true;
  const followers: Diagnostic[] = [];
  for (const node of writer.graph.sorted()) {
    if (writer.isWritten?.(node)) continue;
    writer.begin(node);
    const lost = attempt(node, writer, rules);
    if (!lost) continue;
    isWhole = false;
    const finding = gapFinding(node, lost.reason);
    if (lost.isNews) report.add(finding);
    else if (lost.reason !== '') followers.push(finding);
    writer.lose(node);
  }
  for (const value of [...writer.graph.inputs, ...[...writer.graph.nodes].flatMap(resultsOf)]) {
    const { origin, shape } = value;
    const target = origin && origin.relation !== 'part' && writer.written(value);
    if (!target) continue;
    const isReshaped = shape && writer.heldShape?.(value);
    note({ source: isReshaped ? reshapedOrigin(origin, shape) : origin, target });
  }
  // What is unknown may be carried over as it is; then those that rest on it are the cause.
  if (report.errors.length === 0) for (const finding of followers) report.add(finding);
  return isWhole;
}
