import type { SymbolEntry, SymbolGraph, SymbolNode } from '../codec/symbol.js';

/**
 * A body as MXNet keeps it, which of the written nodes it has, and which of those are its
 * variables, in the order in which control flow counts them.
 */
export interface BodySymbol {
  readonly symbol: SymbolGraph;
  readonly nodes: readonly number[];
  readonly variables: readonly number[];
}

/**
 * The nodes that some heads rest on, each after its inputs, depth first from the first head on:
 * MXNet forgets the order in the file when it loads a body, and numbers the variables in this one
 * (nnvm's DFSVisit).
 */
export function bodySymbol(
  nodes: readonly SymbolNode[],
  heads: readonly SymbolEntry[],
): BodySymbol {
  const places = new Map<number, number>();
  const ordered: SymbolNode[] = [];
  const move = (entry: SymbolEntry): SymbolEntry => ({ ...entry, node: places.get(entry.node)! });
  const waiting = heads.map(({ node }) => node).reverse();
  for (let index = waiting.at(-1); index !== undefined; index = waiting.at(-1)) {
    const node = nodes[index]!;
    const next = node.inputs.find((entry) => !places.has(entry.node));
    if (next && !places.has(index)) {
      waiting.push(next.node);
      continue;
    }
    waiting.pop();
    if (places.has(index)) continue;
    places.set(index, ordered.length);
    ordered.push({ ...node, inputs: node.inputs.map(move) });
  }
  const used = [...places.keys()];
  const variables = used.filter((index) => nodes[index]!.op === null);
  return {
    symbol: { nodes: ordered, heads: heads.map(move), attrs: new Map() },
    nodes: used,
    variables,
  };
}

/**
 * A graph without the nodes that its heads do not rest on, in its own order; variables that `keeps`
 * names stay.
 */
export function withoutUnused(
  { nodes, heads, attrs }: SymbolGraph,
  keeps: ReadonlySet<number>,
): SymbolGraph {
  const used = new Set([...bodySymbol(nodes, heads).nodes, ...keeps]);
  const kept = nodes.flatMap((_, index) => (used.has(index) ? [index] : []));
  const places = new Map(kept.map((index, place) => [index, place]));
  const move = (entry: SymbolEntry): SymbolEntry => ({ ...entry, node: places.get(entry.node)! });
  return {
    nodes: kept.map((index) => ({ ...nodes[index]!, inputs: nodes[index]!.inputs.map(move) })),
    heads: heads.map(move),
    attrs,
  };
}
