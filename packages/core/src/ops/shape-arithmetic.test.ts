import { evaluate } from '../evaluate/evaluate.js';
import { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { dimKey, evaluateDim, symbol } from '../tensor/dim.js';
import { parseDim } from '../tensor/parse-dim.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { ops } from './ops.js';
import { sliceEnd } from './slice.js';

const n = symbol('n');
const s = symbol('s');

const shapeOf = (value: Value) => value.shape?.map(dimKey).join();
const elementsOf = (value: Value) => value.elements?.map(dimKey).join();

/** A graph with an input of shape [n, s, 64] and the nodes that exporters write. */
function exported() {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [n, s, 64]);
  const ints = (...values: readonly number[]) => graph.literal('int64', [values.length], values);
  const number = (value: number) => graph.literal('int64', [], [value]);
  const sizes = (of: Value) => graph.add(ops.Shape, { x: of }, {}).y;
  const size = (of: Value, axis: number) =>
    graph.add(ops.Gather, { x: sizes(of), indices: number(axis) }, { axis: 0 }).y;
  const vector = (value: Value) => graph.add(ops.Unsqueeze, { x: value }, { axes: [0] }).y;
  const join = (...inputs: readonly Value[]) => graph.add(ops.Concat, { inputs }, { axis: 0 }).y;
  return { graph, x, ints, number, sizes, size, vector, join };
}

/**
 * Evaluates a graph with n = 5 and s = 7 and compares the shape of the result with what was
 * inferred.
 */
async function expectShape(graph: Graph, value: Value, shape: readonly number[]): Promise<void> {
  graph.output('result', value);
  const inputs = graph.inputs.map(({ dtype, shape: declared }) => {
    const known = declared!.map((dim) =>
      typeof dim === 'number' ? dim : dimKey(dim) === 'n' ? 5 : 7,
    );
    return tensor(dtype, known, new Array<number>(sizeOf(known)).fill(1));
  });
  expect((await evaluate(graph, inputs)).get('result')!.shape).toEqual(shape);
}

test('Shape → Gather → Unsqueeze → Concat → Reshape, as PyTorch writes view(n, -1, 8, 8)', async () => {
  const { graph, x, ints, size, vector, join } = exported();
  const target = join(vector(size(x, 0)), ints(-1), ints(8), ints(8));
  const { y } = graph.add(ops.Reshape, { x, shape: target }, { shape: null });
  expect(shapeOf(y)).toBe('n,s,8,8');
  expect(y.producer!.inputs.length).toBe(1);
  await expectShape(graph, y, [5, 7, 8, 8]);
});

test('a size that is left over is found behind sizes that convolutions made', async () => {
  const graph = new Graph();
  const image = graph.input('image', 'float32', [n, 16, s, s]);
  const half = graph.add(
    ops.Slice,
    { x: image },
    { axes: [2, 3], starts: [0, 0], ends: [sliceEnd, sliceEnd], steps: [2, 2] },
  ).y;
  const wide = graph.add(
    ops.Pad,
    { x: half, value: undefined },
    { mode: 'constant', pads: [0, 0, 0, 1, 0, 0, 0, 2] },
  ).y;
  const sizes = graph.add(ops.Shape, { x: wide }, {}).y;
  const [height, width] = [2, 3].map(
    (axis) =>
      graph.add(ops.Gather, { x: sizes, indices: graph.literal('int64', [1], [axis]) }, { axis: 0 })
        .y,
  );
  const pixels = graph.add(ops.Mul, { a: height!, b: width! }, {}).y;
  const shape = graph.add(
    ops.Concat,
    { inputs: [graph.literal('int64', [1], [-1]), pixels, graph.literal('int64', [1], [16])] },
    { axis: 0 },
  ).y;
  const { y } = graph.add(ops.Reshape, { x: wide, shape }, { shape: null });
  expect(dimKey(y.shape![0]!)).toBe('n');
  expect(y.shape![2]).toBe(16);
  await expectShape(graph, y, [5, 4 * 7, 16]);
});

test('a size that is halved again and again stays one division', () => {
  const graph = new Graph();
  let x = graph.input('x', 'float32', [s]);
  for (let i = 0; i < 5; i++)
    x = graph.add(ops.Slice, { x }, { axes: [0], starts: [1], ends: [sliceEnd], steps: [2] }).y;
  expect(shapeOf(x)).toBe('floordiv(s,32)');
  expect(evaluateDim(x.shape![0]!, new Map([['s', 100]]))).toBe(3);
});

test('attention heads: view(n, s, 4, 16).transpose(1, 2).reshape(n * 4, s, 16) and back', async () => {
  const { graph, x, ints, number, size, vector, join } = exported();
  const split = graph.add(
    ops.Reshape,
    { x, shape: join(vector(size(x, 0)), vector(size(x, 1)), ints(4, 16)) },
    { shape: null },
  ).y;
  const heads = graph.add(ops.Transpose, { x: split }, { perm: [0, 2, 1, 3] }).y;
  const rows = graph.add(ops.Mul, { a: size(x, 0), b: number(4) }, {}).y;
  const flat = graph.add(
    ops.Reshape,
    { x: heads, shape: join(vector(rows), ints(-1, 16)) },
    { shape: null },
  ).y;
  expect(shapeOf(flat)).toBe('4*n,s,16');
  const batch = graph.add(ops.Div, { a: rows, b: number(4) }, {}).y;
  expect(elementsOf(batch)).toBe('n');
  const back = graph.add(
    ops.Reshape,
    { x: flat, shape: join(vector(batch), ints(4, -1, 16)) },
    { shape: null },
  ).y;
  expect(shapeOf(back)).toBe('n,4,s,16');
  await expectShape(graph, back, [5, 4, 7, 16]);
});

test('a Slice of the shape, its product, and the range up to it', async () => {
  const { graph, x, ints, number, sizes } = exported();
  const first = graph.add(
    ops.Slice,
    { x: sizes(x), starts: ints(0), ends: ints(2) },
    { axes: [0], starts: null, ends: null, steps: [1] },
  ).y;
  expect(elementsOf(first)).toBe('n,s');
  const last = graph.add(
    ops.Slice,
    { x: sizes(x) },
    { axes: [0], starts: [-1], ends: [sliceEnd], steps: [1] },
  ).y;
  expect(elementsOf(last)).toBe('64');
  const count = graph.add(ops.ReduceProd, { x: first }, { axes: [0], keepdims: false }).y;
  expect(elementsOf(count)).toBe('n*s');
  const range = graph.add(ops.Range, { start: number(1), limit: count, delta: number(2) }, {}).y;
  expect(range.elements).toBeUndefined();
  expect(shapeOf(range)).toBe('floordiv(n*s,2)');
  await expectShape(graph, range, [17]);
});

test('ConstantOfShape, then the Expand idiom: Where(shape == -1, 1, shape)', async () => {
  const { graph, x, ints, size, vector, join } = exported();
  const rank = graph.add(
    ops.Expand,
    { x: graph.literal('int64', [], [1]), shape: ints(3) },
    { shape: null },
  ).y;
  expect(elementsOf(rank)).toBe('1,1,1');
  const minusOne = graph.add(ops.Mul, { a: rank, b: graph.literal('int64', [], [-1]) }, {}).y;
  const wanted = join(vector(size(x, 0)), ints(-1), ints(64));
  const isOpen = graph.add(ops.Equal, { a: wanted, b: minusOne }, {}).y;
  const target = graph.add(ops.Where, { condition: isOpen, x: rank, y: wanted }, {}).y;
  expect(elementsOf(target)).toBe('n,1,64');
  const token = graph.input('token', 'float32', [1, 1, 64]);
  const { y } = graph.add(ops.Expand, { x: token, shape: target }, { shape: null });
  expect(shapeOf(y)).toBe('n,1,64');
  await expectShape(graph, y, [5, 1, 64]);
});

test('positions: a table of 512 rows cut to the length, and arange(s) expanded over the batch', async () => {
  const { graph, x, ints, number, size, vector, join } = exported();
  const table = graph.input('table', 'float32', [1, 512, 64]);
  const ends = vector(size(x, 1));
  const cut = graph.add(
    ops.Slice,
    { x: table, starts: ints(0), ends },
    { axes: [1], starts: null, ends: null, steps: [1] },
  ).y;
  expect(shapeOf(cut)).toBe('1,min(512,s),64');
  // Whatever is added to it has the length s, or the model is wrong.
  expect(shapeOf(graph.add(ops.Add, { a: x, b: cut }, {}).y)).toBe('n,s,64');
  const range = graph.add(
    ops.Range,
    { start: number(0), limit: size(x, 1), delta: number(1) },
    {},
  ).y;
  expect(shapeOf(range)).toBe('s');
  const ids = graph.add(
    ops.Expand,
    { x: vector(range), shape: join(vector(size(x, 0)), vector(size(x, 1))) },
    { shape: null },
  ).y;
  expect(shapeOf(ids)).toBe('n,s');
  await expectShape(graph, ids, [5, 7]);
});

test('pads as PyTorch writes them: ConstantOfShape, Concat, Reshape, Slice backwards, Transpose, Reshape, Cast', async () => {
  const { graph, x, ints } = exported();
  const zeros = graph.add(
    ops.Expand,
    { x: graph.literal('int64', [], [0]), shape: ints(2) },
    { shape: null },
  ).y;
  const joined = graph.add(ops.Concat, { inputs: [ints(1, 2, 3, 4), zeros] }, { axis: 0 }).y;
  const pairs = graph.add(ops.Reshape, { x: joined, shape: ints(-1, 2) }, { shape: null }).y;
  const backwards = graph.add(
    ops.Slice,
    { x: pairs },
    { axes: [0], starts: [-1], ends: [-sliceEnd], steps: [-1] },
  ).y;
  const sides = graph.add(ops.Transpose, { x: backwards }, { perm: [1, 0] }).y;
  const flat = graph.add(ops.Reshape, { x: sides, shape: ints(-1) }, { shape: null }).y;
  const pads = graph.add(ops.Cast, { x: flat }, { to: 'int64' }).y;
  expect(elementsOf(pads)).toBe('0,3,1,0,4,2');
  const { y } = graph.add(ops.Pad, { x, pads, value: undefined }, { mode: 'constant', pads: null });
  expect(shapeOf(y)).toBe('n,s+7,67');
  await expectShape(graph, y, [5, 14, 67]);
});

test('slices of symbolic dimensions', async () => {
  const cut = (start: number, end: number, step: number) => {
    const { graph, x } = exported();
    return {
      graph,
      y: graph.add(ops.Slice, { x }, { axes: [1], starts: [start], ends: [end], steps: [step] }).y,
    };
  };
  expect(shapeOf(cut(0, sliceEnd, 1).y)).toBe('n,s,64');
  expect(shapeOf(cut(0, 2 ** 31 - 1, 1).y)).toBe('n,s,64');
  expect(shapeOf(cut(1, sliceEnd, 1).y)).toBe('n,s-1,64');
  expect(shapeOf(cut(0, -1, 1).y)).toBe('n,s-1,64');
  expect(shapeOf(cut(-1, sliceEnd, 1).y)).toBe('n,1,64');
  expect(shapeOf(cut(-1, -sliceEnd, -1).y)).toBe('n,s,64');
  // Two slices that together are the whole: the halves of a sequence.
  expect(shapeOf(cut(0, sliceEnd, 2).y)).toBe('n,floordiv(s+1,2),64');
  expect(shapeOf(cut(1, sliceEnd, 2).y)).toBe('n,floordiv(s,2),64');
  for (const [start, end, step, size] of [
    [0, sliceEnd, 1, 7],
    [2, sliceEnd, 1, 5],
    [-3, sliceEnd, 1, 3],
    [3, -2, 1, 2],
    [5, 2, 1, 0],
    [0, sliceEnd, 2, 4],
    [1, sliceEnd, 2, 3],
    [-1, -sliceEnd, -2, 4],
    [-1, 0, -1, 6],
    [-20, 20, 3, 3],
  ] as const) {
    const { graph, y } = cut(start, end, step);
    expect(evaluateDim(y.shape![1]!, new Map([['s', 7]]))).toBe(size);
    await expectShape(graph, y, [5, size, 64]);
  }
});

test('a bound of which it is open from which end it counts leaves the size open', () => {
  const { graph, x, number, size, vector } = exported();
  const end = graph.add(ops.Sub, { a: size(x, 0), b: number(3) }, {}).y;
  const { y } = graph.add(
    ops.Slice,
    { x, ends: vector(end) },
    { axes: [1], starts: [0], ends: null, steps: [1] },
  );
  expect(dimKey(y.shape![1]!)).toMatch(/^\?slice/);
});

test('Split with symbolic sizes, NonZero of known elements, sizes that depend on data', () => {
  const { graph, x, ints, number } = exported();
  const { outputs } = graph.add(ops.Split, { x }, { axis: 1, sizes: [1, parseDim('s-1')] });
  expect(outputs.map(shapeOf)).toEqual(['n,1,64', 'n,s-1,64']);
  const places = graph.add(ops.NonZero, { x: graph.add(ops.Shape, { x }, {}).y }, {}).y;
  expect(elementsOf(places)).toBe('0,1,2');
  const open = graph.add(ops.NonZero, { x }, {}).y;
  expect(open.shape![0]).toBe(3);
  const sizes = graph.add(ops.Shape, { x: open }, {}).y;
  const reshaped = graph.add(
    ops.Reshape,
    {
      x: open,
      shape: graph.add(
        ops.Slice,
        { x: sizes },
        { axes: [0], starts: [1], ends: [-sliceEnd], steps: [-1] },
      ).y,
    },
    { shape: null },
  ).y;
  expect(reshaped.producer!.inputs.length).toBe(2);
  expect(reshaped.shape).toEqual([open.shape![1], 3]);
  expect(() => graph.add(ops.Dims, {}, { values: [open.shape![1]!] })).toThrow('Dims C1');
  expect(() =>
    graph.add(ops.Range, { start: ints(0), limit: ints(0), delta: ints(0) }, {}),
  ).toThrow('Range C2');
  expect(() =>
    graph.add(ops.Range, { start: number(0), limit: number(5), delta: number(0) }, {}),
  ).toThrow('Range C3');
});

test('ranks that are known only in part', () => {
  const graph = new Graph();
  const x = graph.input('x', 'float32', undefined);
  expect(graph.add(ops.Shape, { x }, {}).y.shape!.length).toBe(1);
  const joined = graph.add(
    ops.Concat,
    { inputs: [x, graph.input('y', 'float32', [2, 3])] },
    { axis: 0 },
  ).y;
  expect(joined.shape!.map(String)[1]).toBe('3');
  const target = graph.input('target', 'int64', [4]);
  const wide = graph.add(
    ops.Expand,
    { x: graph.input('z', 'float32', [3, 1, n]), shape: target },
    { shape: null },
  ).y;
  expect(wide.shape!.map(String).map((dim) => dim.replace(/_\d+$/, ''))).toEqual([
    '?expand',
    '3',
    '?expand',
    '?expand',
  ]);
});

test('integers that a program could not hold are no known elements', () => {
  const graph = new Graph();
  const one = graph.literal('int64', [1], [1]);
  expect(graph.add(ops.Expand, { x: one }, { shape: [2000] }).y.elements).toBeUndefined();
  expect(graph.add(ops.Tile, { x: one }, { repeats: [1000] }).y.elements!.length).toBe(1000);
  const small = graph.literal('int8', [2], [100, 100]);
  expect(
    graph.add(ops.ReduceSum, { x: small }, { axes: [0], keepdims: false }).y.elements,
  ).toBeUndefined();
});
