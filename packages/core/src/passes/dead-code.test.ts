import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import { ops } from '../ops/ops.js';
import { tensor } from '../tensor/tensor.js';
import { deadCode } from './dead-code.js';
import { runPass } from './define-pass.js';

test('a chain that nothing needs goes in one run, and the rest computes the same', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  const { y } = graph.add(ops.Exp, { x }, {});
  const { y: dead } = graph.add(ops.Log, { x: y }, {});
  graph.add(ops.Add, { a: dead, b: y }, {});
  graph.output('y', y);
  const before = await evaluate(graph, [tensor('float32', [2], [0, 1])]);
  expect(await runPass(deadCode, graph, undefined)).toBe(2);
  expect([...graph.nodes].map(({ op }) => op.name)).toEqual(['Exp']);
  expect(await evaluate(graph, [tensor('float32', [2], [0, 1])])).toEqual(before);
  expect(await runPass(deadCode, graph, undefined)).toBe(0);
});

test('a node stays for the sake of one of its results, and inputs stay', async () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2]);
  graph.input('unused', 'float32', [3]);
  const { outputs } = graph.add(ops.Split, { x }, { axis: 0, sizes: [1, 1] });
  graph.output('second', outputs[1]!);
  expect(await runPass(deadCode, graph, undefined)).toBe(0);
  expect(graph.inputs.length).toBe(2);
});
