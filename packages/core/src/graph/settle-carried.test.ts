import { ops } from '../ops/ops.js';
import { symbol, type Shape } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { evaluate } from '../evaluate/evaluate.js';
import type { ValueType } from '../tensor/value-type.js';
import { Graph } from './graph.js';
import { settleCarried } from './settle-carried.js';
import type { Value } from './value.js';
import { verify } from './verify.js';

/** A loop of three trips over values of these shapes; `step` makes the next ones. */
function loopOver(
  shapes: readonly Shape[],
  step: (body: Graph, values: readonly Value[]) => readonly Value[],
): { graph: Graph; types: readonly ValueType[]; builds: number } {
  const graph = new Graph();
  const carried = shapes.map((shape, i) => graph.input(`x${i}`, 'float32', shape));
  let builds = 0;
  let types: readonly ValueType[] = [];
  const body = settleCarried(
    carried,
    (stated) => {
      builds++;
      types = stated;
      const inner = new Graph('body', graph);
      inner.input('trip', 'int64', []);
      inner.input('goes', 'bool', []);
      const values = stated.map(({ dtype, shape }, i) => inner.input(`x${i}`, dtype, shape));
      inner.output('goes', inner.literal('bool', [], [true]));
      step(inner, values).forEach((value, i) => inner.output(`x${i}`, value));
      return inner;
    },
    (inner) => inner.outputs.slice(1).map(({ value }) => value),
  );
  const maxTrips = graph.literal('int64', [], [3]);
  const { outputs } = graph.add(
    ops.Loop,
    { maxTrips, carried },
    { carried: carried.length },
    { regions: { body: body.region() } },
  );
  outputs.forEach((value, i) => graph.output(`y${i}`, value));
  verify(graph);
  return { graph, types, builds };
}

const concat = (body: Graph, a: Value, b: Value) =>
  body.add(ops.Concat, { inputs: [a, b] }, { axis: 0 }).y;

test('a body that keeps its shapes is built once, with the shapes of the initial values', () => {
  const { types, builds, graph } = loopOver([[symbol('n'), 2]], (body, [x]) => [
    body.add(ops.Exp, { x: x! }, {}).y,
  ]);
  expect(builds).toBe(1);
  expect(types[0]!.shape!.map(String)).toEqual(['n', '2']);
  expect(graph.outputs[0]!.value.shape!.map(String)).toEqual(['n', '2']);
});

test('what grows is left open, the rest stays, and what depends on it opens in turn', async () => {
  const { graph, types, builds } = loopOver(
    [
      [1, 2],
      [1, 2],
    ],
    (body, [x, y]) => [
      concat(body, x!, body.literal('float32', [1, 2], [7, 8])),
      concat(body, x!, y!),
    ],
  );
  expect(builds).toBe(2);
  expect(types.map(({ shape }) => shape!.map(String))).toEqual([
    [expect.stringMatching(/^\?carried/), '2'],
    [expect.stringMatching(/^\?carried/), '2'],
  ]);
  const results = await evaluate(graph, [
    tensor('float32', [1, 2], [1, 2]),
    tensor('float32', [1, 2], [3, 4]),
  ]);
  expect(results.get('y0')!.shape).toEqual([4, 2]);
  // 1, then 1 + 1, 2 + 2 and 3 + 4 rows.
  expect(results.get('y1')!.shape).toEqual([7, 2]);
});

test('a rank that changes is left open', () => {
  const { types } = loopOver([[2]], (body, [x]) => [
    body.add(ops.Unsqueeze, { x: x! }, { axes: [0] }).y,
  ]);
  expect(types[0]!.shape).toBeUndefined();
});
