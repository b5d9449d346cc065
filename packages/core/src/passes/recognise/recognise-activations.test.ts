import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { ops } from '../../ops/ops.js';
import { tensor, toNumbers } from '../../tensor/tensor.js';
import { deadCode } from '../dead-code.js';
import { runPass } from '../define-pass.js';
import { recogniseActivations } from './recognise-activations.js';

const points = [-4, -1.5, -0.25, 0, 0.5, 1, 3, 6];

/**
 * Builds y of x, runs the pass, checks that y is the same as before, and gives the operators that
 * are left.
 */
async function recognised(
  build: (graph: Graph, x: Value, number: (value: number) => Value) => Value,
): Promise<readonly string[]> {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [points.length]);
  graph.output(
    'y',
    build(graph, x, (value) => graph.literal('float32', [], [value])),
  );
  const given = [tensor('float32', [points.length], points)];
  const before = await evaluate(graph, given);
  await runPass(recogniseActivations, graph, undefined);
  await runPass(deadCode, graph, undefined);
  expect(await runPass(recogniseActivations, graph, undefined)).toBe(0);
  const after = await evaluate(graph, given);
  // The constants of the parts are rounded to float32.
  toNumbers(after.get('y')!).forEach((value, i) =>
    expect(value).toBeCloseTo(toNumbers(before.get('y')!)[i]!, 6),
  );
  return [...graph.nodes].map(({ op }) => op.name);
}

const mul = (graph: Graph, a: Value, b: Value) => graph.add(ops.Mul, { a, b }, {}).y;
const div = (graph: Graph, a: Value, b: Value) => graph.add(ops.Div, { a, b }, {}).y;
const add = (graph: Graph, a: Value, b: Value) => graph.add(ops.Add, { a, b }, {}).y;
const erf = (graph: Graph, x: Value) => graph.add(ops.Erf, { x }, {}).y;
const tanh = (graph: Graph, x: Value) => graph.add(ops.Tanh, { x }, {}).y;
const clip = (graph: Graph, x: Value) => graph.add(ops.Clip, { x }, { min: 0, max: 6 }).y;

test('Gelu as PyTorch writes it: x (1 + erf(x / 1.41421)) / 2', async () => {
  expect(
    await recognised((g, x, n) =>
      mul(g, mul(g, x, add(g, erf(g, div(g, x, n(Math.SQRT2))), n(1))), n(0.5)),
    ),
  ).toEqual(['Gelu']);
});

test('Gelu as TensorFlow writes it: 0.5 x (1 + erf(0.70711 x))', async () => {
  expect(
    await recognised((g, x, n) =>
      mul(g, mul(g, n(0.5), x), add(g, n(1), erf(g, mul(g, x, n(Math.SQRT1_2))))),
    ),
  ).toEqual(['Gelu']);
});

test.each(['product', 'power'])('Gelu by tanh, its cube a %s', async (form) => {
  const cube = (g: Graph, x: Value, n: (value: number) => Value) =>
    form === 'power' ? g.add(ops.Pow, { a: x, b: n(3) }, {}).y : mul(g, x, mul(g, x, x));
  const inner = (g: Graph, x: Value, n: (value: number) => Value) =>
    tanh(g, mul(g, n(Math.sqrt(2 / Math.PI)), add(g, x, mul(g, n(0.044715), cube(g, x, n)))));
  expect(
    await recognised((g, x, n) => mul(g, mul(g, n(0.5), x), add(g, n(1), inner(g, x, n)))),
  ).toEqual(['Gelu']);
});

test('HardSwish: x clip(x + 3, 0, 6) / 6', async () => {
  expect(await recognised((g, x, n) => div(g, mul(g, x, clip(g, add(g, x, n(3)))), n(6)))).toEqual([
    'HardSwish',
  ]);
  expect(
    await recognised((g, x) =>
      mul(g, x, g.add(ops.HardSigmoid, { x }, { alpha: 1 / 6, beta: 0.5 }).y),
    ),
  ).toEqual(['HardSwish']);
});

test.each([
  [
    'another factor',
    (g: Graph, x: Value, n: (value: number) => Value) =>
      mul(g, mul(g, x, add(g, erf(g, div(g, x, n(Math.SQRT2))), n(1))), n(0.51)),
  ],
  [
    'another divisor',
    (g: Graph, x: Value, n: (value: number) => Value) =>
      mul(g, mul(g, x, add(g, erf(g, div(g, x, n(1.4))), n(1))), n(0.5)),
  ],
  [
    'another gate',
    (g: Graph, x: Value, n: (value: number) => Value) =>
      mul(g, mul(g, x, add(g, erf(g, div(g, mul(g, x, x), n(Math.SQRT2))), n(1))), n(0.5)),
  ],
  [
    'another bound',
    (g: Graph, x: Value, n: (value: number) => Value) =>
      div(g, mul(g, x, g.add(ops.Clip, { x: add(g, x, n(3)) }, { min: 0, max: 5 }).y), n(6)),
  ],
])('%s is not recognised', async (_, build) => {
  const left = await recognised(build);
  expect(left.filter((name) => name === 'Gelu' || name === 'HardSwish')).toEqual([]);
});
