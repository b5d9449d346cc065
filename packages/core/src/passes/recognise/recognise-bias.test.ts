import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { ops } from '../../ops/ops.js';
import { symbol } from '../../tensor/dim.js';
import { tensor } from '../../tensor/tensor.js';
import { runPass } from '../define-pass.js';
import { recogniseBias } from './recognise-bias.js';

const x = tensor('float32', [1, 3, 3, 2], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3, 2, 3]);
const attrs = {
  layout: 'channelsLast',
  strides: [1, 1],
  dilations: [1, 1],
  padding: 'explicit',
  pads: [0, 0, 0, 0],
  groups: 1,
} as const;

/** Two filters over two channels; `build` adds to what they give. */
async function operatorsLeft(
  build: (graph: Graph, y: Value) => Value,
  size: number | undefined = 3,
): Promise<readonly string[]> {
  const graph = new Graph();
  const input = graph.input('x', 'float32', [1, size ?? symbol('h'), 3, 2]);
  const w = graph.literal('float32', [2, 2, 2, 1], [1, 2, 3, 4, -1, 0, 2, -3]);
  graph.output('y', build(graph, graph.add(ops.Conv, { x: input, w }, attrs, { name: 'conv' }).y));
  const before = await evaluate(graph, [x]);
  await runPass(recogniseBias, graph, undefined);
  expect(await runPass(recogniseBias, graph, undefined)).toBe(0);
  expect(await evaluate(graph, [x])).toEqual(before);
  return graph.sorted().map((node) => `${node} ${node.outputs[0]!.name} ${node.inputs.length}`);
}

const plus = (graph: Graph, a: Value, shape: readonly number[], values: readonly number[]) =>
  graph.add(ops.Add, { a, b: graph.literal('float32', shape, values) }, {}, { name: 'sum' }).y;

test.each([[[2]], [[1, 1, 2]], [[1, 1, 1, 2]]])(
  'a constant of shape %j over the channels is the bias',
  async (shape) => {
    expect(await operatorsLeft((graph, y) => plus(graph, y, shape, [10, 20]))).toEqual([
      'Conv conv sum 3',
    ]);
    expect(await operatorsLeft((graph, y) => plus(graph, y, shape, [10, 20]), undefined)).toEqual([
      'Conv conv sum 3',
    ]);
  },
);

test('a transposed convolution too, its constant first, channels first', async () => {
  const graph = new Graph();
  const input = graph.input('x', 'float32', [1, 2, 3]);
  const w = graph.literal('float32', [2, 2, 1], [1, 2, 3, 4]);
  const transposed = {
    layout: 'channelsFirst',
    strides: [1],
    dilations: [1],
    pads: [0, 0],
    groups: 1,
  } as const;
  const { y } = graph.add(
    ops.ConvTranspose,
    { x: input, w },
    { ...transposed, outputPadding: [0], outputSizes: null },
  );
  graph.output(
    'y',
    graph.add(ops.Add, { a: graph.literal('float32', [2, 1], [5, 6]), b: y }, {}).y,
  );
  const given = [tensor('float32', [1, 2, 3], [1, 2, 3, 4, 5, 6])];
  const before = await evaluate(graph, given);
  expect(await runPass(recogniseBias, graph, undefined)).toBe(1);
  expect(await evaluate(graph, given)).toEqual(before);
});

test('what is not one number per channel, or is read elsewhere, stays', async () => {
  const stays = ['Conv conv conv 2', 'Add sum sum 2'];
  expect(await operatorsLeft((graph, y) => plus(graph, y, [], [1]))).toEqual(stays);
  expect(await operatorsLeft((graph, y) => plus(graph, y, [2, 1, 1], [1, 2]))).toEqual(stays);
  expect(await operatorsLeft((graph, y) => plus(graph, y, [1, 1, 1, 1, 2], [1, 2]))).toEqual(stays);
  expect(
    await operatorsLeft(
      (graph, y) => graph.add(ops.Mul, { a: plus(graph, y, [2], [1, 2]), b: y }, {}).y,
    ),
  ).toHaveLength(3);
  expect(
    await operatorsLeft((graph, y) => plus(graph, plus(graph, y, [2], [1, 2]), [2], [3, 4])),
  ).toEqual(['Conv conv sum 3', 'Add sum sum 2']);
});
