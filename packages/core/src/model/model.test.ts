import { ByteHandle } from '../bytes/byte-handle.js';
import { memorySource } from '../format/memory.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { Model } from './model.js';
import { storeOf } from './store-of.js';
import { TensorStore } from './tensor-store.js';

const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

function identityOf(name: string): Graph {
  const graph = new Graph(name);
  graph.output('y', graph.add(ops.Relu, { x: graph.input('x', 'float32', [2]) }, {}).y);
  return graph;
}

describe('a model', () => {
  it('of one graph needs nothing else', () => {
    const graph = identityOf('only');
    const model = new Model(graph);
    expect([model.main, model.graph, model.file, model.format]).toEqual([
      'only',
      graph,
      '',
      'core',
    ]);
    expect([...model.operators]).toEqual([['Relu', 1]]);
  });

  it('has several graphs, of which any can be the main one', () => {
    const graphs = new Map(['serve', 'train'].map((name) => [name, identityOf(name)]));
    const model = new Model(graphs, { file: 'm', metadata: new Map([['by', 'test']]) });
    expect(model.main).toBe('serve');
    const other = model.at('train');
    expect([other.graph, other.graphs, other.file]).toEqual([graphs.get('train'), graphs, 'm']);
    expect(other.store).toBe(model.store);
    expect(() => model.at('toString')).toThrow(failing('core/no-entry'));
    expect(() => model.at('toString')).toThrow('it has "serve", "train"');
  });
});

describe('the store', () => {
  it('holds the tensors under the names of the source, with what they are for', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [3, 2]);
    const stored = (name: string) =>
      graph.constant(Weight.from(tensor('float32', [2], [1, 2]), name), `value of ${name}`);
    const [scale, bias, mean, variance] = ['g', 'b', 'm', 'v'].map(stored);
    const { y } = graph.add(
      ops.BatchNormalization,
      { x, scale: scale!, bias: bias!, mean: mean!, variance: variance! },
      { axis: 1, epsilon: 0 },
    );
    const count = graph.literal('int64', [1], [2], 'count');
    graph.output('y', y);
    graph.output('count', count);
    const { store } = new Model(graph);
    expect([...store].map(({ name, role }) => [name, role])).toEqual([
      ['g', 'parameter'],
      ['b', 'parameter'],
      ['m', 'buffer'],
      ['v', 'buffer'],
      ['count', 'constant'],
    ]);
  });

  it('holds what a constant is made of once, whatever is made of it', () => {
    const graph = new Graph();
    const whole = Weight.from(tensor('float32', [4, 2], [1, 2, 3, 4, 5, 6, 7, 8]), 'w');
    graph.output('a', graph.constant(whole.slice(0, 0, 2), 'a'));
    graph.output('b', graph.constant(whole.slice(0, 2, 2).transpose([1, 0]), 'b'));
    const [only, ...rest] = new Model(graph).store;
    expect(rest).toEqual([]);
    expect([only!.name, only!.weight]).toEqual(['w', whole]);
  });

  it('keeps the order of the file, what nothing uses, and what the file says of a tensor', () => {
    const weights = ['a', 'b', 'c'].map((name) =>
      Weight.from(tensor('float32', [2], [1, 2]), name),
    );
    const graph = new Graph();
    const made = graph.constant(weights[0]!, 'a');
    graph.output('y', graph.add(ops.Neg, { x: made }, {}).y);
    const stored = [
      { name: 'c', weight: weights[2]!, role: 'buffer' },
      { name: 'b', weight: weights[1]! },
      { name: 'a', weight: weights[0]! },
    ] as const;
    expect([...storeOf([graph], stored)].map(({ name, role }) => [name, role])).toEqual([
      ['c', 'buffer'],
      ['b', 'parameter'],
      ['a', 'parameter'],
    ]);
  });

  it('takes tensors over the same bytes of a file for one, unless they are of another type', () => {
    const file = memorySource('w.bin', new Map([['w.bin', new Uint8Array(16)]]));
    const stored = (name: string, shape: readonly number[], offset = 0) => ({
      name,
      weight: Weight.stored('float32', shape, name, ByteHandle.range(file, offset, 8)),
    });
    const store = storeOf(
      [],
      [
        stored('head', [2]),
        stored('embedding', [2]),
        stored('row', [1, 2]),
        stored('next', [2], 8),
      ],
    );
    expect([...store].map(({ name, aliases }) => [name, aliases])).toEqual([
      ['head', ['embedding']],
      ['row', []],
      ['next', []],
    ]);
    expect(store.get('embedding')).toBe(store.get('head'));
    const { weight } = stored('head', [2]);
    const [one, ...others] = storeOf(
      [],
      [
        { name: 'a', weight },
        { name: 'b', weight },
      ],
    );
    expect([one!.name, one!.aliases, others]).toEqual(['a', ['b'], []]);
  });

  it('finds a tied tensor by each of its names, and refuses a name twice', () => {
    const weight = Weight.from(tensor('float32', [1], [1]));
    const tied = { name: 'head', weight, role: 'parameter', aliases: ['embedding'] } as const;
    const store = new TensorStore([tied]);
    expect([store.size, store.get('embedding'), store.get('__proto__')]).toEqual([
      1,
      tied,
      undefined,
    ]);
    const again = { ...tied, name: 'embedding', aliases: [] };
    expect(() => new TensorStore([tied, again])).toThrow(failing('core/duplicate'));
  });
});
