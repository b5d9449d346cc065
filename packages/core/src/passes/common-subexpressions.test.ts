import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { tensor } from '../tensor/tensor.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { runPass } from './define-pass.js';

test('equal computations over equal constants become one, to the last of a chain', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const branch = () => {
    const { y: shifted } = graph.add(ops.Add, { a: x, b: graph.literal('float32', [], [3]) }, {});
    return graph.add(ops.Clip, { x: shifted }, { min: 0, max: 6 }).y;
  };
  const { y } = graph.add(ops.Mul, { a: branch(), b: branch() }, {});
  graph.output('y', y);
  const before = await evaluate(graph, [tensor('float32', [2], [-1, 5])]);
  expect(await runPass(commonSubexpressions, graph, undefined)).toBe(2);
  expect([...graph.nodes].map(({ op }) => op.name)).toEqual(['Add', 'Clip', 'Mul']);
  // (-1 + 3)² = 4 and min(5 + 3, 6)² = 36.
  expect(await evaluate(graph, [tensor('float32', [2], [-1, 5])])).toEqual(before);
  expect(before.get('y')).toEqual(tensor('float32', [2], [4, 36]));
  expect(await runPass(commonSubexpressions, graph, undefined)).toBe(0);
});

test('other attributes, other operands in another order and other constants stay apart', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1]);
  const z = graph.input('z', 'float32', [1]);
  const made = [
    graph.add(ops.Clip, { x }, { min: 0, max: 6 }).y,
    graph.add(ops.Clip, { x }, { min: null, max: 6 }).y,
    graph.add(ops.Clip, { x }, { min: -0, max: 6 }).y,
    graph.add(ops.Sub, { a: x, b: z }, {}).y,
    graph.add(ops.Sub, { a: z, b: x }, {}).y,
    graph.add(ops.Add, { a: x, b: graph.literal('float32', [], [1]) }, {}).y,
    graph.add(ops.Add, { a: x, b: graph.literal('float32', [], [2]) }, {}).y,
    graph.add(ops.Add, { a: x, b: graph.literal('float32', [1], [1]) }, {}).y,
  ];
  made.forEach((value, i) => graph.output(`y${i}`, value));
  expect(await runPass(commonSubexpressions, graph, undefined)).toBe(0);
});

test('outputs that are computed alike share one node', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [1]);
  graph.output('first', graph.add(ops.Exp, { x }, {}).y);
  graph.output('second', graph.add(ops.Exp, { x }, {}).y);
  expect(await runPass(commonSubexpressions, graph, undefined)).toBe(1);
  expect([...(await evaluate(graph, [tensor('float32', [1], [0])])).keys()]).toEqual([
    'first',
    'second',
  ]);
});
