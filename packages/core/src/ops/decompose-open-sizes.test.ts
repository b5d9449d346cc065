import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { runPass } from '../passes/define-pass.js';
import { lower } from '../passes/lower.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { ops } from './ops.js';

/**
 * A graph with a float64 value of shape [number of elements that are not zero, 4], a number that
 * only the data tell.
 */
function open(): { graph: Graph; x: Value } {
  const graph = new Graph();
  const input = graph.input('x', 'float64', [2, 3, 2, 2]);
  const places = graph.add(ops.NonZero, { x: input }, {}).y;
  const rows = graph.add(ops.Transpose, { x: places }, { perm: [1, 0] }).y;
  const x = graph.add(ops.Cast, { x: rows }, { to: 'float64' }).y;
  return { graph, x: graph.add(ops.Sin, { x }, {}).y };
}

const given = tensor(
  'float64',
  [2, 3, 2, 2],
  Array.from({ length: 24 }, (_, i) => i % 3),
);

/** Compares a graph's result with that of its decomposition. */
async function expectSame(graph: Graph, y: Value): Promise<void> {
  graph.output('y', y);
  const [whole] = (await evaluate(graph, [given])).values();
  expect(await runPass(lower, graph, { keep: () => false })).toBeGreaterThan(0);
  const [parts] = (await evaluate(graph, [given])).values();
  expect(parts!.shape).toEqual(whole!.shape);
  toNumbers(whole!).forEach((value, i) => expect(toNumbers(parts!)[i]).toBeCloseTo(value, 12));
}

test('GroupNormalization', async () => {
  for (const layout of ['channelsFirst', 'channelsLast'] as const) {
    const { graph, x } = open();
    const [scale, bias] = [
      [1, 2, 3, 4],
      [5, 6, 7, 8],
    ].map((values) => graph.literal('float64', [4], values));
    const { y } = graph.add(
      ops.GroupNormalization,
      { x, scale: scale!, bias: bias! },
      { groups: 2, epsilon: 0.1, layout },
    );
    await expectSame(graph, y);
  }
});

test('Hardmax', async () => {
  const { graph, x } = open();
  await expectSame(graph, graph.add(ops.Hardmax, { x }, { axis: 0 }).y);
});

test('LRN', async () => {
  const { graph, x } = open();
  await expectSame(
    graph,
    graph.add(ops.LRN, { x }, { size: 3, alpha: 0.5, beta: 0.75, bias: 2, axis: 0 }).y,
  );
});

test('Einsum', async () => {
  for (const equation of ['ij,ij->', 'ij,kj->ik', 'ij,ik->jk', 'ij,kl->ijkl']) {
    const { graph, x } = open();
    await expectSame(graph, graph.add(ops.Einsum, { inputs: [x, x] }, { equation }).y);
  }
});
