import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { runPass } from './define-pass.js';
import { unrollLoops } from './unroll-loops.js';

const limits = { maxTrips: 8, maxNodes: 100 };

/** a' = a + trip + s, yielding 2 a'. */
function counting(trips: number): Graph {
  const graph = new Graph();
  const s = graph.input('s', 'float64', [2]);
  const body = new Graph('body', graph);
  const trip = body.add(ops.Cast, { x: body.input('trip', 'int64', []) }, { to: 'float64' }).y;
  body.input('goes', 'bool', []);
  const sum = body.add(ops.Add, { a: body.input('a', 'float64', [2]), b: trip }, {}).y;
  const next = body.add(ops.Add, { a: sum, b: body.capture(s) }, {}).y;
  body.output('goes', body.literal('bool', [], [true]));
  body.output('a', next);
  body.output('double', body.add(ops.Add, { a: next, b: next }, {}).y);
  const { outputs } = graph.add(
    ops.Loop,
    { maxTrips: graph.literal('int64', [], [trips]), carried: [s] },
    { carried: 1 },
    { name: 'loop', regions: { body: body.region() } },
  );
  outputs.forEach((value, i) => graph.output(`out${i}`, value));
  return graph;
}

test('the nodes of each trip take the place of a loop', async () => {
  const graph = counting(3);
  expect(await runPass(unrollLoops, graph, limits)).toBe(1);
  expect([...graph.nodes].filter(({ op }) => op.name === 'Loop')).toEqual([]);
  expect(await runPass(unrollLoops, graph, limits)).toBe(0);
  const results = await evaluate(graph, [tensor('float64', [2], [1, 10])]);
  // From 1: 1 + 0 + 1 = 2, 2 + 1 + 1 = 4, 4 + 2 + 1 = 7. From 10: 20, 31, 43.
  expect([...toNumbers(results.get('out0')!)]).toEqual([7, 43]);
  expect(results.get('out1')!.shape).toEqual([3, 2]);
  expect([...toNumbers(results.get('out1')!)]).toEqual([4, 40, 8, 62, 14, 86]);
  expect([...graph.nodes].map(({ name }) => name)).toEqual(
    expect.arrayContaining(['loop/0/Add', 'loop/2/Add']),
  );
});

test.each([
  ['too many trips', 9, limits],
  ['too many nodes', 4, { maxTrips: 8, maxNodes: 15 }],
  ['no trip', 0, limits],
])('a loop of %s stays', async (_, trips, bounds) => {
  expect(await runPass(unrollLoops, counting(trips), bounds)).toBe(0);
});
