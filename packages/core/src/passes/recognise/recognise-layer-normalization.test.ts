import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { ops } from '../../ops/ops.js';
import { tensor, toNumbers } from '../../tensor/tensor.js';
import { deadCode } from '../dead-code.js';
import { runPass } from '../define-pass.js';
import { recogniseLayerNormalization } from './recognise-layer-normalization.js';

const shape = [2, 3, 5];
const wave = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => Math.sin(seed * 3.1 + i * 1.7) + 0.3 * seed);

/** The parts of a normalisation of x, the mean over `axes`. */
function partsOf(
  graph: Graph,
  x: Value,
  axes: readonly number[],
  number: (value: number) => Value,
  square: 'product' | 'power',
) {
  const mean = graph.add(ops.ReduceMean, { x }, { axes, keepdims: true }).y;
  const centred = graph.add(ops.Sub, { a: x, b: mean }, {}).y;
  const squared =
    square === 'power'
      ? graph.add(ops.Pow, { a: centred, b: number(2) }, {}).y
      : graph.add(ops.Mul, { a: centred, b: centred }, {}).y;
  const variance = graph.add(ops.ReduceMean, { x: squared }, { axes, keepdims: true }).y;
  const deviation = graph.add(
    ops.Sqrt,
    { x: graph.add(ops.Add, { a: variance, b: number(1e-5) }, {}).y },
    {},
  ).y;
  return { mean, centred, deviation };
}

async function recognised(
  build: (graph: Graph, x: Value, number: (value: number) => Value) => Value,
): Promise<Graph> {
  const graph = new Graph();
  const x = graph.input('x', 'float64', shape);
  graph.output(
    'y',
    build(graph, x, (value) => graph.literal('float64', [], [value])),
  );
  const given = [tensor('float64', shape, wave(30, 1))];
  const before = await evaluate(graph, given);
  await runPass(recogniseLayerNormalization, graph, undefined);
  await runPass(deadCode, graph, undefined);
  expect(await runPass(recogniseLayerNormalization, graph, undefined)).toBe(0);
  const after = await evaluate(graph, given);
  toNumbers(after.get('y')!).forEach((value, i) =>
    expect(value).toBeCloseTo(toNumbers(before.get('y')!)[i]!, 9),
  );
  return graph;
}

const names = (graph: Graph) => graph.sorted().map(({ op }) => op.name);

test.each(['product', 'power'] as const)(
  'a quotient with scale and bias, the square a %s',
  async (square) => {
    const graph = await recognised((g, x, number) => {
      const { centred, deviation } = partsOf(g, x, [2], number, square);
      const normal = g.add(ops.Div, { a: centred, b: deviation }, {}).y;
      const scaled = g.add(ops.Mul, { a: normal, b: g.literal('float64', [5], wave(5, 2)) }, {}).y;
      return g.add(ops.Add, { a: scaled, b: g.literal('float64', [5], wave(5, 3)) }, {}).y;
    });
    expect(names(graph)).toEqual(['LayerNormalization']);
    const [node] = graph.nodes;
    expect(node?.attrs).toEqual({ axis: 2, epsilon: expect.closeTo(1e-5, 12) });
    expect(node?.inputs.map((value) => value?.shape)).toEqual([shape, [5], [5]]);
  },
);

test('over two axes, without scale', async () => {
  const graph = await recognised((g, x, number) => {
    const { centred, deviation } = partsOf(g, x, [1, 2], number, 'product');
    return g.add(ops.Mul, { a: g.add(ops.Reciprocal, { x: deviation }, {}).y, b: centred }, {}).y;
  });
  expect(names(graph)).toEqual(['LayerNormalization']);
  expect([...graph.nodes][0]?.attrs).toMatchObject({ axis: 1 });
});

test("TensorFlow's form: x k + (bias - mean k) with k = scale / deviation", async () => {
  const graph = await recognised((g, x, number) => {
    const { mean, deviation } = partsOf(g, x, [2], number, 'product');
    const k = g.add(
      ops.Mul,
      {
        a: g.add(ops.Reciprocal, { x: deviation }, {}).y,
        b: g.literal('float64', [5], wave(5, 2)),
      },
      {},
    ).y;
    const shift = g.add(
      ops.Sub,
      { a: g.literal('float64', [5], wave(5, 3)), b: g.add(ops.Mul, { a: mean, b: k }, {}).y },
      {},
    ).y;
    return g.add(ops.Add, { a: g.add(ops.Mul, { a: x, b: k }, {}).y, b: shift }, {}).y;
  });
  expect(names(graph)).toEqual(['LayerNormalization']);
});

test('a scale that does not lie along the normalised axes stays a product', async () => {
  const graph = await recognised((g, x, number) => {
    const { centred, deviation } = partsOf(g, x, [2], number, 'product');
    const normal = g.add(ops.Div, { a: centred, b: deviation }, {}).y;
    return g.add(ops.Mul, { a: normal, b: g.literal('float64', [3, 1], wave(3, 2)) }, {}).y;
  });
  expect(names(graph)).toEqual(['LayerNormalization', 'Mul']);
});

test.each([
  ['axes that are not the last', [1]],
  ['a gap between the axes', [0, 2]],
])('%s are not recognised', async (_, axes) => {
  const graph = await recognised((g, x, number) => {
    const { centred, deviation } = partsOf(g, x, axes, number, 'product');
    return g.add(ops.Div, { a: centred, b: deviation }, {}).y;
  });
  expect(names(graph)).not.toContain('LayerNormalization');
});

test('a mean of something else than x is not recognised', async () => {
  const graph = await recognised((g, x, number) => {
    const { deviation } = partsOf(g, x, [2], number, 'product');
    const other = g.add(
      ops.ReduceMean,
      { x: g.add(ops.Exp, { x }, {}).y },
      { axes: [2], keepdims: true },
    ).y;
    return g.add(ops.Div, { a: g.add(ops.Sub, { a: x, b: other }, {}).y, b: deviation }, {}).y;
  });
  expect(names(graph)).not.toContain('LayerNormalization');
});
