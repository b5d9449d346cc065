import { evaluate } from '../../evaluate/evaluate.js';
import { Graph } from '../../graph/graph.js';
import type { Value } from '../../graph/value.js';
import { ops } from '../../ops/ops.js';
import { symbol } from '../../tensor/dim.js';
import { sizeOf, tensor, toNumbers, type Tensor } from '../../tensor/tensor.js';
import type { Layout } from '../../typing/window.js';
import { deadCode } from '../dead-code.js';
import { runPass } from '../define-pass.js';
import { setInputLayout } from '../input-layout.js';
import { simplifyMovement } from '../simplify-movement.js';
import { assignLayout } from './assign-layout.js';

const ramp = (shape: readonly number[]): Tensor =>
  tensor(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i + 1)),
  );

const constant = (graph: Graph, shape: readonly number[]) =>
  graph.literal('float32', shape, [...toNumbers(ramp(shape))]);

function conv(
  graph: Graph,
  x: Value,
  w: readonly number[] | Value,
  layout: Layout = 'channelsFirst',
): Value {
  const attrs = {
    layout,
    strides: [1, 1],
    dilations: [1, 1],
    padding: 'explicit',
    pads: [1, 1, 1, 1],
    groups: 1,
  } as const;
  return graph.add(ops.Conv, { x, w: 'length' in w ? constant(graph, w) : w }, attrs).y;
}

const relu = (graph: Graph, x: Value) => graph.add(ops.Relu, { x }, {}).y;

const count = (graph: Graph, name: string) =>
  [...graph.nodes].filter((node) => node.op.name === name).length;

/** Runs the pass as a format does, and checks that the graph still computes the same. */
async function assign(graph: Graph, target: Layout, input: Tensor): Promise<void> {
  const before = await evaluate(graph, [input]);
  await runPass(assignLayout, graph, { target });
  await runPass(simplifyMovement, graph, undefined);
  await runPass(deadCode, graph, undefined);
  const after = await evaluate(graph, [input]);
  for (const [name, value] of before) {
    expect(after.get(name)!.shape).toEqual(value.shape);
    const [was, is] = [toNumbers(value), toNumbers(after.get(name)!)];
    was.forEach((x, i) => expect(is[i]).toBeCloseTo(x, 12));
  }
}

describe('assignLayout', () => {
  test('a chain of convolutions has a transpose at each end only, and none in the layout it is in', async () => {
    const build = () => {
      const graph = new Graph();
      const x = graph.input('x', 'float32', [1, 3, 5, 7]);
      graph.output(
        'y',
        conv(graph, relu(graph, conv(graph, x, [4, 3, 3, 3])), [2, 4, 3, 3], 'channelsFirst'),
      );
      return graph;
    };
    const moved = build();
    await assign(moved, 'channelsLast', ramp([1, 3, 5, 7]));
    expect(count(moved, 'Transpose')).toBe(2);
    const kept = build();
    await assign(kept, 'channelsFirst', ramp([1, 3, 5, 7]));
    expect(count(kept, 'Transpose')).toBe(0);
  });

  test('transposes that the source wrote round its convolutions cancel', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 5, 7, 3]);
    const { y: first } = graph.add(ops.Transpose, { x }, { perm: [0, 3, 1, 2] });
    const { y: last } = graph.add(
      ops.Transpose,
      { x: conv(graph, first, [4, 3, 3, 3]) },
      { perm: [0, 2, 3, 1] },
    );
    graph.output('y', last);
    await assign(graph, 'channelsLast', ramp([2, 5, 7, 3]));
    expect(count(graph, 'Transpose')).toBe(0);
  });

  test('what lies between moves along: a residual sum, a concatenation, a slice, a constant per channel, a reduction', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [symbol('N'), 4, 6, 5]);
    const h = conv(graph, x, [4, 4, 3, 3]);
    const sum = graph.add(
      ops.Add,
      { a: graph.add(ops.Mul, { a: h, b: constant(graph, [4, 1, 1]) }, {}).y, b: relu(graph, h) },
      {},
    ).y;
    const both = graph.add(ops.Concat, { inputs: [sum, h] }, { axis: 1 }).y;
    const part = graph.add(
      ops.Slice,
      { x: both },
      { axes: [1], starts: [1], ends: [5], steps: [1] },
    ).y;
    const next = conv(graph, part, [3, 4, 3, 3]);
    const mean = graph.add(ops.ReduceMean, { x: next }, { axes: [2, 3], keepdims: true }).y;
    graph.output('y', graph.add(ops.Reshape, { x: mean }, { shape: [symbol('N'), 3] }).y);
    await assign(graph, 'channelsLast', ramp([2, 4, 6, 5]));
    expect(count(graph, 'Transpose')).toBe(1);
  });

  test('an operator that needs the order of elements keeps it', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 3, 4, 5]);
    const flat = graph.add(ops.Reshape, { x: conv(graph, x, [2, 3, 3, 3]) }, { shape: [2, 40] }).y;
    graph.output('y', flat);
    await assign(graph, 'channelsLast', ramp([2, 3, 4, 5]));
    expect(count(graph, 'Transpose')).toBe(2);
  });

  test('the transpose goes where the tensor is smallest', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 2, 8, 8]);
    const pool = {
      layout: 'channelsFirst',
      kernel: [4, 4],
      strides: [4, 4],
      dilations: [1, 1],
      padding: 'explicit',
      pads: [0, 0, 0, 0],
      ceil: false,
    } as const;
    const small = graph.add(ops.MaxPool, { x: relu(graph, conv(graph, x, [2, 2, 3, 3])) }, pool).y;
    graph.output('y', graph.add(ops.Tile, { x: relu(graph, small) }, { repeats: [1, 1, 3, 3] }).y);
    await assign(graph, 'channelsLast', ramp([1, 2, 8, 8]));
    const back = [...graph.nodes]
      .filter((node) => node.op.name === 'Transpose')
      .map((node) => sizeOf(node.outputs[0]!.shape as number[]));
    expect(back.sort((a, b) => a - b)).toEqual([8, 128]);
  });

  test('a sequence convolution through a dimension of 1 has no transposes within', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 6, 3]);
    const four = graph.add(ops.Unsqueeze, { x }, { axes: [1] }).y;
    const attrs = {
      layout: 'channelsLast',
      strides: [1, 1],
      dilations: [1, 1],
      padding: 'explicit',
      pads: [0, 1, 0, 1],
      groups: 1,
    } as const;
    const { y } = graph.add(ops.Conv, { x: four, w: constant(graph, [4, 3, 1, 3]) }, attrs);
    graph.output('y', graph.add(ops.Squeeze, { x: relu(graph, y) }, { axes: [1] }).y);
    await assign(graph, 'channelsFirst', ramp([1, 6, 3]));
    expect(count(graph, 'Transpose')).toBe(2);
  });

  test.each([
    ['one scale for all', null],
    ['a scale for each channel', 1],
  ] as const)(
    'a chain of convolutions of quantised values, %s, has a transpose at each end only',
    async (_, axis) => {
      const graph = new Graph();
      const codes = { blockSize: 0, saturate: true, to: 'uint8' } as const;
      const scale =
        axis === null
          ? graph.literal('float32', [], [0.02])
          : graph.literal('float32', [3], [0.02, 0.03, 0.05]);
      let x = graph.input('x', 'uint8', [2, 3, 5, 7]);
      for (let i = 0; i < 4; i++) {
        const w = graph.literal(
          'int8',
          [3, 3, 3, 3],
          Array.from({ length: 81 }, (_, k) => ((k * 37) % 13) - 4),
        );
        const filters = graph.add(
          ops.DequantizeLinear,
          { x: w, scale: graph.literal('float32', [3], [0.1, 0.2, 0.3]) },
          { axis: 0, blockSize: 0 },
        ).y;
        const real = graph.add(ops.DequantizeLinear, { x, scale }, { axis, blockSize: 0 }).y;
        const y = conv(graph, real, filters);
        x = graph.add(ops.QuantizeLinear, { x: y, scale }, { axis, ...codes }).y;
      }
      graph.output('y', x);
      await assign(
        graph,
        'channelsLast',
        tensor(
          'uint8',
          [2, 3, 5, 7],
          Array.from({ length: 210 }, (_, i) => (i * 37) % 19),
        ),
      );
      expect(count(graph, 'Transpose')).toBe(2);
    },
  );

  test('the labels of a segmentation are found where the channels are', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 3, 5, 7]);
    const scores = conv(graph, x, [4, 3, 3, 3]);
    const attrs = { axis: 1, keepdims: false, selectLastIndex: false };
    graph.output('y', graph.add(ops.ArgMax, { x: scores }, attrs).y);
    await assign(graph, 'channelsLast', ramp([2, 3, 5, 7]));
    expect(count(graph, 'Transpose')).toBe(1);
  });

  test('a transpose of the model takes the change back into itself', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [2, 3, 5, 7]);
    const h = relu(graph, conv(graph, x, [4, 3, 3, 3]));
    graph.output('y', graph.add(ops.Transpose, { x: h }, { perm: [3, 1, 0, 2] }).y);
    await assign(graph, 'channelsLast', ramp([2, 3, 5, 7]));
    expect(count(graph, 'Transpose')).toBe(2);
  });

  test('an operand of a lower rank that is computed is brought into the layout', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 3, 5, 7]);
    const h = conv(graph, x, [3, 3, 3, 3]);
    const { y: bias } = graph.add(ops.ReduceMean, { x }, { axes: [0, 3], keepdims: false });
    const { y: column } = graph.add(ops.Unsqueeze, { x: bias }, { axes: [2] });
    const sum = graph.add(ops.Add, { a: h, b: column }, {}).y;
    graph.output('y', conv(graph, sum, [2, 3, 3, 3]));
    await assign(graph, 'channelsLast', ramp([1, 3, 5, 7]));
    // At each end, and the small operand.
    expect(count(graph, 'Transpose')).toBe(3);
  });

  test('a second run changes nothing', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 3, 5, 7]);
    graph.output('y', relu(graph, conv(graph, x, [4, 3, 3, 3])));
    expect(await runPass(assignLayout, graph, { target: 'channelsLast' })).toBeGreaterThan(0);
    expect(await runPass(assignLayout, graph, { target: 'channelsLast' })).toBe(0);
  });
});

describe('setInputLayout', () => {
  test('declares images in the other layout, and nothing else', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [1, 3, 5, 7]);
    const other = graph.input('other', 'float32', [1, 2, 3, 4]);
    graph.output('y', conv(graph, x, [4, 3, 3, 3]));
    graph.output('z', relu(graph, other));
    await runPass(setInputLayout, graph, { layout: 'channelsLast' });
    expect(graph.inputs.map(({ shape }) => shape)).toEqual([
      [1, 5, 7, 3],
      [1, 2, 3, 4],
    ]);
    await runPass(assignLayout, graph, { target: 'channelsLast' });
    await runPass(simplifyMovement, graph, undefined);
    expect(count(graph, 'Transpose')).toBe(1);
  });
});
