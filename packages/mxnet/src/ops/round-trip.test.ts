import {
  evaluate,
  Graph,
  memorySource,
  MemorySink,
  mulDim,
  ops,
  symbol,
  tensor,
  type Tensor,
  openModel,
  writeModel,
  Model,
} from '@drover/core';
import { readSymbol } from '../codec/decode-symbol.js';
import { mxnet } from '../format.js';

/** Writes a graph and gives the operators of the symbol and, read again, its results. */
async function carry(
  graph: Graph,
  inputs: readonly Tensor[],
): Promise<{ operators: readonly string[]; results: readonly number[][] }> {
  const sink = new MemorySink();
  const model = new Model(graph, { file: 'm.onnx' });
  await writeModel(model, { to: mxnet, sink, path: 'm-symbol.json' });
  const source = memorySource('m-symbol.json', sink.files);
  const operators = (await readSymbol(source)).graph.nodes.flatMap(({ op }) =>
    op === null ? [] : [op],
  );
  const again = await openModel(source, mxnet);
  const results = [...(await evaluate(again.graph, inputs)).values()];
  return { operators, results: results.map(({ data }) => Array.from(data, Number)) };
}

const [n, m, p, q] = ['n', 'm', 'p', 'q'].map((name) => symbol(name));

describe('writing of sizes that are not known before the model runs', () => {
  it.each([
    ['upper', true, [0, 2, 0, 0]],
    ['lower', false, [1, 2, 3, 4]],
  ])('triangles of integers: %s', async (_, upper, expected) => {
    const graph = new Graph();
    const x = graph.input('x', 'int32', [n!, m!]);
    graph.output('y', graph.add(ops.Trilu, { x }, { upper, k: 1 }, { name: 'y' }).y);
    const { results } = await carry(graph, [tensor('int32', [2, 2], [1, 2, 3, 4])]);
    expect(results).toEqual([expected]);
  });

  it('a triangle keeps what is infinite out of the rest', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [n!, m!]);
    graph.output('y', graph.add(ops.Trilu, { x }, { upper: true, k: 0 }, { name: 'y' }).y);
    const { results } = await carry(graph, [
      tensor('float32', [2, 2], [-Infinity, 2, -Infinity, 4]),
    ]);
    expect(results).toEqual([[-Infinity, 2, 0, 4]]);
  });

  it('sizes put together out of one come from a value that has them side by side', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [n!, m!, 2]);
    const rows = graph.add(ops.Reshape, { x }, { shape: [mulDim(n!, m!), 2] }, { name: 'rows' }).y;
    const sums = graph.add(
      ops.CumSum,
      { x: rows },
      { axis: 0, exclusive: false, reverse: false },
      { name: 'sums' },
    ).y;
    graph.output('y', graph.add(ops.Reshape, { x: sums }, { shape: [n!, m!, 2] }, { name: 'y' }).y);
    const { operators, results } = await carry(graph, [tensor('float32', [2, 1, 2], [1, 2, 3, 4])]);
    expect(operators).toContain('reshape_like');
    expect(results).toEqual([[1, 2, 4, 6]]);
  });

  it('images take the size of another', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 1, n!, m!]);
    const like = graph.input('like', 'float32', [1, 3, p!, q!]);
    const resized = graph.add(
      ops.Resize,
      { x },
      {
        axes: [2, 3],
        mode: 'linear',
        coordinates: 'halfPixel',
        nearest: 'floor',
        cubicCoefficient: -0.75,
        excludeOutside: false,
        antialias: false,
        sizes: [p!, q!],
        scales: null,
      },
      { name: 'resized' },
    ).y;
    graph.output('y', graph.add(ops.Add, { a: resized, b: like }, {}, { name: 'y' }).y);
    const { results } = await carry(graph, [
      tensor('float32', [1, 1, 1, 2], [0, 4]),
      tensor('float32', [1, 3, 1, 4], new Array<number>(12).fill(0)),
    ]);
    // Half-pixel places -0.25, 0.25, 0.75, 1.25 of two elements.
    expect(results).toEqual([[0, 1, 3, 4, 0, 1, 3, 4, 0, 1, 3, 4]]);
  });

  it('a factor of one for the batch leaves an image repeated', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [n!, 1, p!, q!]);
    const attrs = {
      mode: 'nearest',
      coordinates: 'asymmetric',
      nearest: 'floor',
      cubicCoefficient: -0.75,
      excludeOutside: false,
      antialias: false,
    } as const;
    const sizes = [n!, mulDim(p!, 2), mulDim(q!, 2)];
    graph.output(
      'y',
      graph.add(
        ops.Resize,
        { x },
        { ...attrs, axes: [0, 2, 3], sizes, scales: [1, 2, 2] },
        { name: 'y' },
      ).y,
    );
    const { operators, results } = await carry(graph, [tensor('float32', [1, 1, 1, 2], [5, 7])]);
    expect(operators).toEqual(['UpSampling']);
    expect(results).toEqual([[5, 5, 7, 7, 5, 5, 7, 7]]);
  });
});

describe('writing', () => {
  // The middle, the second column, and the corner: half an element outside the first one.
  it.each([
    ['zeros', [2.5, 3, 0.25]],
    ['border', [2.5, 3, 1]],
  ] as const)(
    'samples images whose corners are not aligned, %s around them',
    async (padding, expected) => {
      const graph = new Graph();
      const x = graph.input('x', 'float32', [1, 1, 2, 2]);
      const grid = graph.input('grid', 'float32', [1, 1, 3, 2]);
      const attrs = {
        mode: 'linear',
        padding,
        alignCorners: false,
        layout: 'channelsFirst',
      } as const;
      graph.output('y', graph.add(ops.GridSample, { x, grid }, attrs, { name: 'y' }).y);
      const { results } = await carry(graph, [
        tensor('float32', [1, 1, 2, 2], [1, 2, 3, 4]),
        tensor('float32', [1, 1, 3, 2], [0, 0, 0.5, 0, -1, -1]),
      ]);
      expect(results).toEqual([expected]);
    },
  );

  it('a part of no elements that nothing uses is left out', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 5]);
    const [a, b] = graph.add(
      ops.Split,
      { x },
      { axis: 1, sizes: [2, 3, 0] },
      { name: 'parts', resultCount: 3 },
    ).outputs;
    graph.output('a', a!);
    graph.output('b', b!);
    const { results } = await carry(graph, [tensor('float32', [1, 5], [1, 2, 3, 4, 5])]);
    expect(results).toEqual([
      [1, 2],
      [3, 4, 5],
    ]);
  });
});
