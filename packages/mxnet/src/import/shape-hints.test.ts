import type { DType, Shape } from '@drover/core';
import type { SymbolGraph } from '../codec/symbol.js';
import { inferHints } from './shape-hints.js';
import { outputTotals } from './graph-importer.js';

type Given = readonly [
  op: string | null,
  name: string,
  inputs: readonly (readonly [number, number] | number)[],
  attrs?: Record<string, string>,
];

/** A symbol of the given nodes; the last is its head. */
const symbolOf = (given: readonly Given[]): SymbolGraph => ({
  nodes: given.map(([op, name, inputs, attrs = {}]) => ({
    op,
    name,
    attrs: new Map(Object.entries(attrs)),
    inputs: inputs.map((input) => {
      const [node, output] = typeof input === 'number' ? [input, 0] : input;
      return { node, output, version: 0 };
    }),
    controlDeps: [],
    subgraphs: [],
  })),
  heads: [{ node: given.length - 1, output: 0, version: 0 }],
  attrs: new Map(),
});

/** The shape of the first node, written out; parameters by name. */
function shapeOfFirst(
  given: readonly Given[],
  parameters: Readonly<Record<string, Shape>> = {},
): string | undefined {
  const graph = symbolOf(given);
  const known = (index: number): { dtype: DType; shape: Shape } | undefined => {
    const shape = parameters[graph.nodes[index]!.name];
    return shape && { dtype: 'float32', shape };
  };
  return inferHints(graph, known, outputTotals(graph), 'm-symbol.json').shape(0, 0)?.join();
}

describe('shape hints', () => {
  it('takes the features of a recurrent operator from the parameters it is laid out of', () => {
    // An RNN of state size 12 over 6 features: 12 * 6 + 12 * 12 + 12 + 12 parameters.
    const given: Given[] = [
      [null, 'data', []],
      [null, 'w', []],
      [null, 'r', []],
      [null, 'b', []],
      [null, 'c', []],
      ['Reshape', 'flat0', [1], { shape: '(-1,)' }],
      ['Reshape', 'flat1', [2], { shape: '(-1,)' }],
      ['_rnn_param_concat', 'all', [5, 6, 3, 4], { dim: '0', num_args: '4' }],
      ['_zeros', 'state', [], { shape: '(1, 0, 12)' }],
      [
        'RNN',
        'rnn',
        [0, 7, 8],
        { mode: 'rnn_relu', state_size: '12', num_layers: '1', state_outputs: 'True' },
      ],
    ];
    expect(shapeOfFirst(given, { w: [12, 6], r: [12, 12], b: [12], c: [12] })).toBe(
      'data_0,data_1,6',
    );
  });

  it('puts steps that are cut from a sequence together again', () => {
    const given: Given[] = [
      [null, 'data', []],
      ['SliceChannel', 'steps', [0], { axis: '1', num_outputs: '3', squeeze_axis: '1' }],
      [null, 'weight', []],
      ['FullyConnected', 'cell', [[1, 2], 2], { num_hidden: '4', no_bias: 'True' }],
    ];
    expect(shapeOfFirst(given, { weight: [4, 5] })).toBe('data_0,3,5');
  });

  it('knows the size of what is cut into equal parts', () => {
    const given: Given[] = [
      [null, 'data', []],
      ['SliceChannel', 'halves', [0], { axis: '1', num_outputs: '2' }],
      [null, 'weight', []],
      ['Convolution', 'conv', [[1, 1], 2], { kernel: '(3, 3)', num_filter: '8', no_bias: 'True' }],
    ];
    expect(shapeOfFirst(given, { weight: [8, 6, 3, 3] })).toBe('data_0,12,data_2,data_3');
  });

  it('carries ranks back over reductions', () => {
    const given: Given[] = [
      [null, 'data', []],
      [null, 'table', []],
      ['Embedding', 'embedding', [0, 1], { input_dim: '50', output_dim: '8' }],
      ['mean', 'mean', [2], { axis: '1' }],
      [null, 'weight', []],
      ['FullyConnected', 'dense', [3, 4], { num_hidden: '4', no_bias: 'True' }],
    ];
    expect(shapeOfFirst(given, { table: [50, 8], weight: [4, 8] })).toBe('data_0,data_1');
  });

  it('takes what is added to a stored matrix or more to have its rank', () => {
    const given: Given[] = [
      [null, 'data', []],
      [null, 'table', []],
      ['Embedding', 'embedding', [0, 1], { input_dim: '50', output_dim: '24' }],
      [null, 'positions', []],
      ['broadcast_add', 'sum', [2, 3]],
    ];
    expect(shapeOfFirst(given, { table: [50, 24], positions: [1, 12, 24] })).toBe('data_0,data_1');
  });

  it('takes rows for what FullyConnected flattens only where nothing tells otherwise', () => {
    const dense: Given = ['FullyConnected', 'dense', [1, 2], { num_hidden: '4', no_bias: 'True' }];
    const parameters = { weight: [4, 30] };
    expect(
      shapeOfFirst(
        [[null, 'data', []], ['relu', 'act', [0]], [null, 'weight', []], dense],
        parameters,
      ),
    ).toBe('data_0,30');
    const pool: Given = ['Pooling', 'pool', [0], { kernel: '(2, 2)' }];
    expect(shapeOfFirst([[null, 'data', []], pool, [null, 'weight', []], dense], parameters)).toBe(
      'data_0,data_1,data_2,data_3',
    );
  });

  it('says nothing where the rank cannot be told', () => {
    expect(
      shapeOfFirst([
        [null, 'data', []],
        ['tanh', 'act', [0]],
      ]),
    ).toBeUndefined();
  });
});
