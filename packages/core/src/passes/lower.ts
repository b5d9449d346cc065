import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { DroverError } from '../diagnostics/diagnostic.js';
import type { Graph } from '../graph/graph.js';
import { flatten, type Node } from '../graph/node.js';
import { nameOf } from '../graph/origin.js';
import type { Value } from '../graph/value.js';
import { definePass } from './define-pass.js';

/** What {@link lower} leaves whole. */
export interface LowerOptions {
  /** Whether a composite stays. Also asked for composites that decompositions bring in. */
  keep(node: Node): boolean;
}

/**
 * Decomposes every composite that is not kept, and the composites that its decomposition brings in,
 * until none is left. New nodes inherit the origin of the node they replace and stand under its
 * name; what takes the place of a result takes its name, origin and type. Throws
 * `core/not-convertible` for a composite whose decomposition needs a rank or a size that is not
 * known.
 *
 *     y = Gelu(x) {approximate: "none"}        becomes        y/Div = Div(x, 1.4142135)
 *                                                             y/Erf = Erf(y/Div) …
 *                                                             y = Mul(…)
 */
export const lower = definePass<LowerOptions>('lower', ['names', 'layout'], (graph, options) =>
  lowerGraph(graph, options),
);

function lowerGraph(graph: Graph, options: LowerOptions): number {
  const waiting = graph.sorted().reverse();
  let edits = 0;
  for (let node = waiting.pop(); node; node = waiting.pop()) {
    if (!node.op.decompose || options.keep(node)) continue;
    for (const made of replace(graph, node).reverse()) {
      waiting.push(made);
      for (const { graph: body } of Object.values(made.regions)) lowerGraph(body, options);
    }
    edits++;
  }
  return edits;
}

/**
 * Puts the decomposition of a node in its place and gives the nodes that it is made of, each after
 * those it needs.
 */
function replace(graph: Graph, node: Node): Node[] {
  const replacements = flatten<Value>(
    node.op.outputs,
    graph.standingFor(node.origin, () => decomposed(graph, node)),
  );
  const made = nodesBetween(new Set(node.dependencies()), replacements);
  for (const each of made) {
    each.name = `${node.name}/${each.name}`;
    for (const value of each.outputs) value.name = `${node.name}/${value.name}`;
  }
  node.outputs.forEach((old, i) => {
    const value = replacements[i]!;
    graph.replaceUses(old, value);
    if (!value.producer || !made.includes(value.producer)) return;
    value.name = old.name;
    if (old.shape) value.type = old.type;
  });
  graph.remove(node);
  return made;
}

/** What a node is made of. What its decomposition asks in vain is told of the node. */
function decomposed(graph: Graph, node: Node) {
  try {
    return node.op.decompose!(node.operands, node.attrs, graph, node.regions);
  } catch (error) {
    const [first] = error instanceof DroverError ? error.diagnostics : [];
    if (first?.code !== 'core/invalid-shape' || first.origin.node !== undefined) throw error;
    const { file, op } = node.origin;
    const name = nameOf(node.origin);
    const reason = `${first.message} It is written in simpler operators, which need it`;
    throw coreDiagnostics.error('not-convertible', {
      message: `${op} ${name}: ${reason}.`,
      reason,
      origin: { file, node: name, op },
    });
  }
}

/** Nodes that results rest on, down to the given values. */
function nodesBetween(from: ReadonlySet<Value>, results: readonly (Value | undefined)[]): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const visit = (value: Value | undefined): void => {
    if (!value?.producer || from.has(value) || seen.has(value.producer)) return;
    seen.add(value.producer);
    for (const dependency of value.producer.dependencies()) visit(dependency);
    order.push(value.producer);
  };
  for (const value of results) visit(value);
  return order;
}
