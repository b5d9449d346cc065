import type { SymbolEntry, SymbolGraph, SymbolNode } from '../codec/symbol.js';

/** What MXNet 1.9 with oneDNN computes together with the product before it. */
const joined = new Set([
  'Activation',
  'BatchNorm',
  'LeakyReLU',
  'abs',
  'clip',
  'elemwise_add',
  'exp',
  'sqrt',
  'square',
]);

const key = ({ node, output }: SymbolEntry): string => `${node}:${output}`;

/**
 * Whether another reader of a result would see it after an operator that MXNet computes together
 * with it.
 */
function isOverwritten(
  op: string | null,
  readers: readonly SymbolNode[],
  isHead: boolean,
): boolean {
  if (readers.length + Number(isHead) < 2 || !readers.some((node) => joined.has(node.op ?? '')))
    return false;
  return op === 'FullyConnected' || op === 'Convolution';
}

/**
 * Sets results apart that MXNet 1.9.1 would overwrite. Where oneDNN is in use, binding joins a
 * product and the operator on it to one, and forgets who else reads the product: the output of
 * FullyConnected or Convolution then holds what the next operator made of it (a convolution that a
 * normalisation and, after another convolution, an addition read, as at the start of a ResNet of
 * the second kind). `BlockGrad` is the identity that binding neither removes nor joins; it takes
 * the name of what it follows.
 */
export function keptApart(symbol: SymbolGraph, unique: (name: string) => string): SymbolGraph {
  // Copies are removed before operators are joined, so their readers read what they copy.
  const copied = (entry: SymbolEntry): SymbolEntry => {
    const { op, inputs } = symbol.nodes[entry.node]!;
    return op === '_copy' ? copied(inputs[0]!) : entry;
  };
  // An operator that reads a result twice, as x + x does, stands here twice.
  const readers = new Map<string, SymbolNode[]>();
  for (const node of symbol.nodes) {
    if (node.op === '_copy') continue;
    for (const input of node.inputs) {
      const from = key(copied(input));
      const known = readers.get(from);
      if (known) known.push(node);
      else readers.set(from, [node]);
    }
  }
  const heads = new Set(symbol.heads.map((head) => key(copied(head))));
  const nodes: SymbolNode[] = [];
  const places: number[] = [];
  const moved = (entry: SymbolEntry): SymbolEntry => ({ ...entry, node: places[entry.node]! });
  for (const [i, node] of symbol.nodes.entries()) {
    const here = key({ node: i, output: 0, version: 0 });
    const written = { ...node, inputs: node.inputs.map(moved) };
    places.push(nodes.length);
    if (!isOverwritten(node.op, readers.get(here) ?? [], heads.has(here))) {
      nodes.push(written);
      continue;
    }
    nodes.push({ ...written, name: unique(`${node.name}_product`) });
    places[i] = nodes.length;
    const inputs = [{ node: nodes.length - 1, output: 0, version: 0 }];
    nodes.push({
      op: 'BlockGrad',
      name: node.name,
      attrs: new Map(),
      inputs,
      controlDeps: [],
      subgraphs: [],
    });
  }
  return { ...symbol, nodes, heads: symbol.heads.map(moved) };
}
