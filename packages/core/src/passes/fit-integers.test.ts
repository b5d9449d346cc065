import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { ops } from '../ops/ops.js';
import type { DType } from '../tensor/dtype.js';
import { intervalOf, type Interval } from '../tensor/interval.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { runPass } from './define-pass.js';
import { fitIntegers } from './fit-integers.js';

/** TF.js's integers: 32 bits with a sign. */
const held = (dtype: DType): Interval | undefined =>
  intervalOf(/int64|uint32/.test(dtype) ? 'int32' : dtype);
const fit = (graph: Graph) => runPass(fitIntegers, graph, { held, wide: 'int32' });
const names = (graph: Graph) => graph.sorted().map(({ op }) => op.name);
const numbers = async (graph: Graph, ...inputs: Tensor[]) =>
  Array.from((await evaluate(graph, inputs)).get('y')!.data, Number);

/** A graph of one input. */
function graphOf(dtype: DType, build: (graph: Graph, x: Value) => Value): Graph {
  const graph = new Graph();
  graph.output('y', build(graph, graph.input('x', dtype, [4])));
  return graph;
}

describe('fitIntegers', () => {
  test('floats are clipped before they become integers', async () => {
    const graph = graphOf(
      'float32',
      (g, x) =>
        g.add(ops.Clip, { x: g.add(ops.Cast, { x }, { to: 'int64' }).y }, { min: -3, max: 9 }).y,
    );
    expect(await fit(graph)).toBe(1);
    expect(names(graph)).toEqual(['Clip', 'Cast']);
    // 3e9 is beyond 32 bits: a cast to 32 bits would wrap, or saturate, and -3.5 is truncated to
    // -3.
    expect(await numbers(graph, tensor('float32', [4], [3e9, -3.5, 2.7, -1e12]))).toEqual([
      9, -3, 2, -3,
    ]);
    expect(await fit(graph)).toBe(0);
  });

  test.each<readonly [string, (graph: Graph, x: Value) => Value]>([
    [
      'the integers are used otherwise',
      (g, x) => {
        const integers = g.add(ops.Cast, { x }, { to: 'int64' }).y;
        return g.add(
          ops.Add,
          { a: integers, b: g.add(ops.Clip, { x: integers }, { min: 0, max: 9 }).y },
          {},
        ).y;
      },
    ],
    [
      'a side is open',
      (g, x) =>
        g.add(ops.Clip, { x: g.add(ops.Cast, { x }, { to: 'int64' }).y }, { min: 0, max: null }).y,
    ],
    [
      'the type has no such number',
      (g, x) =>
        g.add(
          ops.Clip,
          { x: g.add(ops.Cast, { x }, { to: 'int64' }).y },
          { min: 0, max: 2 ** 24 + 1 },
        ).y,
    ],
    [
      'the floats are within already',
      (g, x) => {
        const within = g.add(ops.Clip, { x }, { min: -5, max: 5 }).y;
        return g.add(
          ops.Clip,
          { x: g.add(ops.Cast, { x: within }, { to: 'int64' }).y },
          { min: 0, max: 3 },
        ).y;
      },
    ],
  ])('casts stay where %s', async (_, build) => {
    expect(await fit(graphOf('float32', build))).toBe(0);
  });

  const largest = 2n ** 63n - 1n;
  const literal = (graph: Graph, ...values: bigint[]) =>
    graph.literal('int64', [values.length], values);

  test('ends of slices beyond 32 bits, joined with others, become the largest that is held', async () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [4]);
    const start = graph.input('start', 'int64', [1]);
    const square = graph.add(ops.Reshape, { x }, { shape: [2, 2] }).y;
    const bound = (rest: bigint) =>
      graph.add(ops.Concat, { inputs: [start, literal(graph, rest)] }, { axis: 0 }).y;
    const attrs = { axes: [0, 1], starts: null, ends: null, steps: [-1, 1] };
    const { y } = graph.add(
      ops.Slice,
      {
        x: square,
        starts: bound(0n),
        ends: graph.add(
          ops.Concat,
          { inputs: [literal(graph, -largest - 1n), literal(graph, largest)] },
          { axis: 0 },
        ).y,
      },
      attrs,
    );
    graph.output('y', y);
    expect(await fit(graph)).toBe(2);
    expect(
      graph.constants().flatMap(({ constant }) => Array.from(constant!.peek()!.data, BigInt)),
    ).toEqual(expect.arrayContaining([-(2n ** 31n), 2n ** 31n - 1n]));
    // From row 1 to row 0, all columns.
    expect(
      await numbers(graph, tensor('float32', [4], [1, 2, 3, 4]), tensor('int64', [1], [1])),
    ).toEqual([3, 4, 1, 2]);
  });

  test.each<readonly [string, (graph: Graph, x: Value) => Value, number]>([
    ['a minimum above all', (g, x) => g.add(ops.Min, { a: x, b: literal(g, largest) }, {}).y, 1],
    ['a minimum below all', (g, x) => g.add(ops.Min, { a: x, b: literal(g, -largest) }, {}).y, 0],
    ['a maximum below all', (g, x) => g.add(ops.Max, { a: x, b: literal(g, -largest) }, {}).y, 1],
    [
      'a comparison with what may be the largest',
      (g, x) => g.add(ops.Less, { a: x, b: literal(g, largest) }, {}).y,
      0,
    ],
    [
      'a comparison with what is less',
      (g, x) =>
        g.add(
          ops.Less,
          { a: g.add(ops.Clip, { x }, { min: -9, max: 9 }).y, b: literal(g, largest) },
          {},
        ).y,
      1,
    ],
    [
      'a filling',
      (g, x) =>
        g.add(
          ops.Where,
          { condition: g.literal('bool', [], [true]), x, y: literal(g, largest) },
          {},
        ).y,
      0,
    ],
    [
      'a bound of Clip beyond all',
      (g, x) => g.add(ops.Clip, { x }, { min: -(2 ** 40), max: 7 }).y,
      1,
    ],
    [
      'a bound of Clip that leaves nothing',
      (g, x) => g.add(ops.Clip, { x }, { min: 2 ** 40, max: null }).y,
      0,
    ],
  ])('%s', async (_, build, edits) => {
    const graph = graphOf('int64', build);
    const x = tensor('int64', [4], [5, -5, 0, 2n ** 31n - 1n]);
    const before = await numbers(graph, x);
    expect(await fit(graph)).toBe(edits);
    expect(await numbers(graph, x)).toEqual(before);
  });

  test('sums that wrap in 8 bits wrap in a cast', async () => {
    const graph = graphOf(
      'uint8',
      (g, x) => g.add(ops.Sub, { a: x, b: g.literal('uint8', [], [10]) }, {}).y,
    );
    expect(await fit(graph)).toBe(1);
    expect(names(graph)).toEqual(['Cast', 'Cast', 'Sub', 'Cast']);
    expect(await numbers(graph, tensor('uint8', [4], [255, 10, 9, 0]))).toEqual([245, 0, 255, 246]);
    expect(await fit(graph)).toBe(0);
  });

  test('floats that need not fit 8 bits wrap on the way from 32', async () => {
    const graph = graphOf('float32', (g, x) => g.add(ops.Cast, { x }, { to: 'uint8' }).y);
    expect(await fit(graph)).toBe(1);
    expect(names(graph)).toEqual(['Cast', 'Cast']);
    expect(await numbers(graph, tensor('float32', [4], [300.5, -1, 7, 256]))).toEqual([
      44, 255, 7, 0,
    ]);
    expect(await fit(graph)).toBe(0);
    const inside = (g: Graph, x: Value) => g.add(ops.Clip, { x }, { min: 0, max: 255 }).y;
    expect(
      await fit(
        graphOf('float32', (g, x) => g.add(ops.Cast, { x: inside(g, x) }, { to: 'uint8' }).y),
      ),
    ).toBe(0);
  });

  test('what does not wrap, or not even 32 bits hold, stays', async () => {
    const inside = (g: Graph, x: Value) => g.add(ops.Clip, { x }, { min: 10, max: 20 }).y;
    expect(
      await fit(
        graphOf(
          'uint8',
          (g, x) => g.add(ops.Sub, { a: inside(g, x), b: g.literal('uint8', [], [10]) }, {}).y,
        ),
      ),
    ).toBe(0);
    expect(await fit(graphOf('uint16', (g, x) => g.add(ops.Mul, { a: x, b: x }, {}).y))).toBe(0);
  });
});
