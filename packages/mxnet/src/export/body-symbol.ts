import type { SymbolEntry, SymbolGraph, SymbolNode } from '../codec/index.js';

/** A body as MXNet keeps it, and which of the written nodes its variables were, in the order in which control flow counts them. */
export interface BodySymbol {
  readonly symbol: SymbolGraph;
  readonly variables: readonly number[];
}

/**
 * The nodes that some heads rest on, each after its inputs, depth first from the first head on: MXNet forgets the order in the file when it loads a body, and
 * numbers the variables in this one (nnvm's DFSVisit).
 */
export function bodySymbol(nodes: readonly SymbolNode[], heads: readonly SymbolEntry[]): BodySymbol {
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
  const variables = [...places.keys()].filter((index) => nodes[index]!.op === null);
  return { symbol: { nodes: ordered, heads: heads.map(move), attrs: new Map() }, variables };
}
