import type { SymbolGraph, SymbolNode } from '../codec/symbol.js';
import { keptApart } from './keep-apart.js';

const entry = (node: number) => ({ node, output: 0, version: 0 });

/** Nodes of operators by name, each reading earlier ones; the heads are those at `heads`. */
function symbolOf(
  nodes: readonly (readonly [op: string | null, ...inputs: number[]])[],
  heads: readonly number[],
): SymbolGraph {
  const made: SymbolNode[] = nodes.map(([op, ...inputs], i) => ({
    op,
    name: `n${i}`,
    attrs: new Map(),
    inputs: inputs.map(entry),
    controlDeps: [],
    subgraphs: [],
  }));
  return { nodes: made, heads: heads.map(entry), attrs: new Map() };
}

const shown = ({ nodes, heads }: SymbolGraph) => [
  ...nodes.map(
    ({ op, name, inputs }) =>
      `${name} = ${op ?? 'null'}(${inputs.map(({ node }) => nodes[node]!.name).join()})`,
  ),
  heads.map(({ node }) => nodes[node]!.name).join(),
];

const apart = (symbol: SymbolGraph) => shown(keptApart(symbol, (name) => name));

describe('results that MXNet would overwrite', () => {
  it('are set apart where a product is read by an activation and by another', () => {
    const symbol = symbolOf([[null], ['FullyConnected', 0], ['LeakyReLU', 1], ['tanh', 1]], [2, 3]);
    expect(apart(symbol)).toEqual([
      'n0 = null()',
      'n1_product = FullyConnected(n0)',
      'n1 = BlockGrad(n1_product)',
      'n2 = LeakyReLU(n1)',
      'n3 = tanh(n1)',
      'n2,n3',
    ]);
  });

  it('are set apart where an output is a copy of a convolution that is read on', () => {
    const symbol = symbolOf([[null], ['Convolution', 0], ['_copy', 1], ['Activation', 1]], [2, 3]);
    expect(apart(symbol)).toContain('n1 = BlockGrad(n1_product)');
  });

  it('are set apart where a normalisation and a later addition read a convolution', () => {
    const symbol = symbolOf(
      [[null], ['Convolution', 0], ['BatchNorm', 1], ['Convolution', 2], ['elemwise_add', 3, 1]],
      [4],
    );
    expect(apart(symbol)).toContain('n1 = BlockGrad(n1_product)');
  });

  it('are set apart where an addition reads a convolution twice', () => {
    const symbol = symbolOf([[null], ['Convolution', 0], ['elemwise_add', 1, 1]], [2]);
    expect(apart(symbol)).toContain('n1 = BlockGrad(n1_product)');
  });

  it.each([
    ['one reader', symbolOf([[null], ['FullyConnected', 0], ['LeakyReLU', 1]], [2])],
    [
      'readers that are not joined',
      symbolOf([[null], ['FullyConnected', 0], ['tanh', 1], ['transpose', 1]], [2, 3]),
    ],
  ])('are left as they are with %s', (_, symbol) => expect(apart(symbol)).toEqual(shown(symbol)));
});
