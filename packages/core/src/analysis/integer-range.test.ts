import fc from 'fast-check';
import { Graph } from '../graph/graph.js';
import { evaluateSteps } from '../graph/evaluate.js';
import type { Value } from '../graph/value.js';
import type { Op, ValueType } from '../ops/define-op.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { intRange, type DType } from '../tensor/dtype.js';
import { intervalOf, type Interval } from '../tensor/interval.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { integerRanges } from './integer-range.js';

const int64 = (...shape: number[]): ValueType => ({ dtype: 'int64', shape });
const float32 = (...shape: number[]): ValueType => ({ dtype: 'float32', shape });
const maxInt32 = 2n ** 31n - 1n;
const int32: Interval = [-maxInt32 - 1n, maxInt32];
/** What a target without 64-bit integers holds. */
const held = (dtype: DType): Interval | undefined => (dtype === 'int64' ? int32 : intervalOf(dtype));

/** What an operator's rule says, the results in order. */
function ruled(op: unknown, ranges: object, attrs: object = {}, types: object = {}): unknown[] {
  return Object.values((op as Op).range!(ranges as never, attrs as never, types as never));
}

const two = { a: int64(4), b: int64(4) };
const x5 = { x: int64(5) };

// Each line is reckoned by hand.
test.each<readonly [string, unknown, object, object, object, unknown]>([
  ['sum', ops.Add, { a: [1n, 4n], b: [-3n, 5n] }, {}, two, [-2n, 9n]],
  ['difference', ops.Sub, { a: [1n, 4n], b: [-3n, 5n] }, {}, two, [-4n, 7n]],
  ['product', ops.Mul, { a: [-2n, 3n], b: [-5n, 4n] }, {}, two, [-15n, 12n]],
  ['quotient of either sign', ops.Div, { a: [-7n, 20n], b: [-2n, 3n] }, {}, two, [-20n, 20n]],
  ['quotient, truncated', ops.Div, { a: [-7n, 7n], b: [2n, 3n] }, {}, two, [-3n, 3n]],
  ['quotient of floats', ops.Div, { a: [-7n, 8n], b: [2n, 3n] }, {}, { a: float32(4) }, [-4n, 5n]],
  ['quotient of floats by what may be small', ops.Div, { a: [-7n, 8n], b: [0n, 3n] }, {}, { a: float32(4) }, undefined],
  ['quotient by zero alone', ops.Div, { a: [1n, 2n], b: [0n, 0n] }, {}, two, undefined],
  ['floored remainder', ops.Mod, { a: [-9n, 20n], b: [2n, 5n] }, { sign: 'divisor' }, two, [0n, 4n]],
  ['floored remainder by what is negative', ops.Mod, { a: [-9n, 20n], b: [-5n, -2n] }, { sign: 'divisor' }, two, [-4n, 0n]],
  ['remainder of what is less', ops.Mod, { a: [1n, 3n], b: [4n, 9n] }, { sign: 'divisor' }, two, [1n, 3n]],
  ['truncated remainder', ops.Mod, { a: [-2n, 20n], b: [-5n, 5n] }, { sign: 'dividend' }, two, [-2n, 4n]],
  ['even power', ops.Pow, { a: [-3n, 2n], b: [2n, 2n] }, {}, two, [0n, 9n]],
  ['powers', ops.Pow, { a: [-3n, 2n], b: [0n, 3n] }, {}, two, [-27n, 27n]],
  ['power of what is not negative', ops.Pow, { a: [0n, 2n], b: [0n, 3n] }, {}, two, [0n, 8n]],
  ['negative power', ops.Pow, { a: [1n, 2n], b: [-1n, 3n] }, {}, two, undefined],
  ['smaller', ops.Min, { a: [1n, 9n], b: [3n, 5n] }, {}, two, [1n, 5n]],
  ['larger', ops.Max, { a: [1n, 9n], b: [3n, 5n] }, {}, two, [3n, 9n]],
  ['negation', ops.Neg, { x: [-128n, 3n] }, {}, x5, [-3n, 128n]],
  ['magnitude', ops.Abs, { x: [-7n, 3n] }, {}, x5, [0n, 7n]],
  ['magnitude below zero', ops.Abs, { x: [-7n, -3n] }, {}, x5, [3n, 7n]],
  ['positive part', ops.Relu, { x: [-7n, 3n] }, {}, x5, [0n, 3n]],
  ['sign', ops.Sign, { x: [0n, 3n] }, {}, x5, [0n, 1n]],
  ['sign of any float', ops.Sign, { x: undefined }, {}, { x: float32(5) }, [-1n, 1n]],
  ['bounds', ops.Clip, { x: [-100n, 100n] }, { min: -3, max: null }, x5, [-3n, 100n]],
  ['bounds in the wrong order', ops.Clip, { x: [-100n, 100n] }, { min: 5, max: 2 }, x5, [2n, 2n]],
  ['bounds of any float', ops.Clip, { x: undefined }, { min: -0.5, max: 2.5 }, { x: float32(5) }, [-1n, 3n]],
  ['one bound of any float', ops.Clip, { x: undefined }, { min: 0, max: null }, { x: float32(5) }, undefined],
  ['truncation', ops.Cast, { x: [-3n, 5n] }, { to: 'int64' }, { x: float32(5) }, [-3n, 5n]],
  ['truth on both sides of zero', ops.Cast, { x: [-3n, 5n] }, { to: 'bool' }, x5, [0n, 1n]],
  ['truth of what is not zero', ops.Cast, { x: [-3n, -2n] }, { to: 'bool' }, x5, [1n, 1n]],
  ['whole numbers below', ops.Floor, { x: [-3n, 5n] }, {}, { x: float32(5) }, [-3n, 5n]],
  ['running sum', ops.CumSum, { x: [-1n, 3n] }, { axis: 0, exclusive: false }, x5, [-5n, 15n]],
  ['running sum of what is positive', ops.CumSum, { x: [2n, 3n] }, { axis: 0, exclusive: false }, x5, [2n, 15n]],
  ['running sum before', ops.CumSum, { x: [2n, 3n] }, { axis: 0, exclusive: true }, x5, [0n, 15n]],
  ['total', ops.ReduceSum, { x: [-1n, 3n] }, { axes: [0, 1] }, { x: int64(2, 5) }, [-10n, 30n]],
  [
    'total of the others',
    ops.ReduceSum,
    { x: [0n, 1n] },
    { axes: [1] },
    { x: { dtype: 'int64', shape: [2, symbol('n')] } },
    [0n, maxInt32],
  ],
  ['total of floats', ops.ReduceSum, { x: [0n, 1n] }, { axes: [0] }, { x: float32(5) }, undefined],
  ['total of magnitudes', ops.ReduceL1, { x: [-2n, 1n] }, { axes: [0] }, x5, [0n, 10n]],
  ['total of squares', ops.ReduceSumSquare, { x: [-2n, 1n] }, { axes: [0] }, x5, [0n, 20n]],
  ['product of elements', ops.ReduceProd, { x: [-1n, 2n] }, { axes: [0] }, x5, [-32n, 32n]],
  ['mean', ops.ReduceMean, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  ['largest', ops.ReduceMax, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  ['largest of perhaps none', ops.ReduceMax, { x: [-1n, 2n] }, { axes: [0] }, { x: { dtype: 'int64', shape: [symbol('?n')] } }, undefined],
  ['smallest', ops.ReduceMin, { x: [-1n, 2n] }, { axes: [0] }, x5, [-1n, 2n]],
  ['place of the largest', ops.ArgMax, { x: undefined }, { axis: 1 }, { x: float32(2, 7) }, [0n, 6n]],
  ['place of the smallest', ops.ArgMin, { x: undefined }, { axis: 0 }, { x: { dtype: 'float32', shape: undefined } }, [0n, maxInt32 - 1n]],
  ['places', ops.NonZero, { x: undefined }, {}, { x: float32(2, 7) }, [0n, 6n]],
  ['sizes', ops.Shape, { x: undefined }, {}, { x: { dtype: 'float32', shape: [3, symbol('n')] } }, [1n, maxInt32]],
  ['numbers upwards', ops.Range, { start: [2n, 3n], limit: [5n, 9n], delta: [1n, 2n] }, {}, { start: int64() }, [2n, 8n]],
  ['numbers downwards', ops.Range, { start: [2n, 3n], limit: [-4n, 0n], delta: [-2n, -1n] }, {}, { start: int64() }, [-3n, 3n]],
  ['numbers either way', ops.Range, { start: [0n, 0n], limit: [-4n, 4n], delta: [-1n, 1n] }, {}, { start: int64() }, [-3n, 3n]],
  ['places to the left', ops.BitShift, { a: [1n, 3n], b: [0n, 4n] }, { direction: 'left' }, {}, [1n, 48n]],
  ['places to the right', ops.BitShift, { a: [8n, 32n], b: [1n, 3n] }, { direction: 'right' }, {}, [1n, 16n]],
  ['bits of both', ops.BitwiseAnd, { a: [-9n, 100n], b: [0n, 7n] }, {}, two, [0n, 7n]],
  ['bits of either', ops.BitwiseOr, { a: [0n, 5n], b: [0n, 8n] }, {}, two, [0n, 15n]],
  ['bits of one', ops.BitwiseXor, { a: [-3n, 5n], b: [0n, 8n] }, {}, two, [-16n, 15n]],
  ['other bits', ops.BitwiseNot, { x: [-3n, 5n] }, {}, x5, [-6n, 2n]],
  ['other bits without sign', ops.BitwiseNot, { x: [0n, 5n] }, {}, { x: { dtype: 'uint8', shape: [5] } }, [250n, 255n]],
  ['product of matrices', ops.MatMul, { a: [-1n, 2n], b: [0n, 3n] }, {}, { a: int64(2, 4), b: int64(4, 3) }, [-12n, 24n]],
  ['vectors of one place', ops.OneHot, { indices: [0n, 9n], values: [0n, 1n] }, {}, {}, [0n, 1n]],
  ['choice', ops.Where, { condition: [0n, 1n], x: [1n, 2n], y: [7n, 9n] }, {}, {}, [1n, 9n]],
  [
    'pieces joined',
    ops.Concat,
    {
      inputs: [
        [1n, 2n],
        [-7n, 0n],
      ],
    },
    {},
    {},
    [-7n, 2n],
  ],
  [
    'pieces',
    ops.Split,
    { x: [1n, 2n] },
    { sizes: [1, 3] },
    {},
    [
      [1n, 2n],
      [1n, 2n],
    ],
  ],
  ['borders of zeros', ops.Pad, { x: [1n, 2n] }, { mode: 'constant' }, x5, [0n, 2n]],
  ['borders of a number', ops.Pad, { x: [1n, 2n], value: [9n, 9n] }, { mode: 'constant' }, { ...x5, value: int64() }, [1n, 9n]],
  ['borders mirrored', ops.Pad, { x: [1n, 2n] }, { mode: 'reflect' }, x5, [1n, 2n]],
  ['triangle', ops.Trilu, { x: [1n, 2n] }, {}, x5, [0n, 2n]],
  [
    'updates',
    ops.ScatterElements,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'none', axis: 0 },
    { x: int64(9), indices: int64(3) },
    [1n, 6n],
  ],
  [
    'updates added',
    ops.ScatterElements,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'add', axis: 0 },
    { x: int64(9), indices: int64(3) },
    [1n, 20n],
  ],
  [
    'blocks added',
    ops.ScatterND,
    { x: [1n, 2n], indices: [0n, 1n], updates: [-1n, 6n] },
    { reduction: 'add' },
    { x: int64(9), indices: int64(3, 1) },
    [-2n, 20n],
  ],
  [
    'updates multiplied',
    ops.ScatterND,
    { x: [1n, 2n], indices: [0n, 1n], updates: [5n, 6n] },
    { reduction: 'mul' },
    { x: int64(9), indices: int64(3, 1) },
    undefined,
  ],
])('range of %s', (_, op, ranges, attrs, types, expected) => {
  expect(ruled(op, ranges, attrs, types)).toEqual([expected]);
});

test('what only moves keeps its range, and the best elements have places', () => {
  const moving = ['Transpose', 'Reshape', 'Squeeze', 'Unsqueeze', 'Reverse', 'Slice', 'Tile', 'Expand', 'Gather', 'GatherElements', 'GatherND', 'DepthToSpace', 'SpaceToDepth', 'ReverseSequence'] as const; // prettier-ignore
  for (const name of moving) expect([name, ruled(ops[name], { x: [-3n, 5n] })]).toEqual([name, [[-3n, 5n]]]);
  expect(ruled(ops.TopK, { x: [-3n, 5n] }, { axis: 1 }, { x: int64(2, 8) })).toEqual([
    [-3n, 5n],
    [0n, 7n],
  ]);
});

/** The range of the only output. */
function rangeOf(graph: Graph, y: Value): { exact: Interval; range: Interval } {
  graph.output('y', y);
  return integerRanges(graph, held).get(y)!;
}

describe('integerRanges', () => {
  test('inputs are what can be held, and what leaves it counts as held afterwards', () => {
    const graph = new Graph();
    const x = graph.input('x', 'int64', [2]);
    const one = graph.literal('int64', [], [1]);
    const { y: more } = graph.add(ops.Add, { a: x, b: one }, {});
    const { y } = graph.add(ops.Min, { a: more, b: graph.literal('int64', [], [2n ** 62n]) }, {});
    expect(rangeOf(graph, y)).toEqual({ exact: [-maxInt32, maxInt32], range: [-maxInt32, maxInt32] });
    expect(integerRanges(graph, held).get(more)).toEqual({ exact: [-maxInt32, maxInt32 + 1n], range: [-maxInt32, maxInt32] });
  });

  test('what wraps in its own type may be anything', () => {
    const graph = new Graph();
    const x = graph.input('x', 'uint8', [2]);
    const { y } = graph.add(ops.Sub, { a: x, b: graph.literal('uint8', [], [1]) }, {});
    expect(rangeOf(graph, y)).toEqual({ exact: [-1n, 254n], range: [0n, 255n] });
  });

  test('an index is inside its dimension, and so is what it was made from without dropping an element', () => {
    const graph = new Graph();
    const ids = graph.input('ids', 'int64', [2, 3]);
    const table = graph.constant(Weight.from(tensor('float32', [514, 1], new Array<number>(514).fill(0))));
    const { y: shifted } = graph.add(ops.Add, { a: ids, b: graph.literal('int64', [], [2]) }, {});
    const { y: flat } = graph.add(ops.Reshape, { x: shifted }, { shape: [6] });
    graph.output('rows', graph.add(ops.Gather, { x: table, indices: flat }, { axis: 0 }).y);
    expect(integerRanges(graph, held).get(shifted)!.exact).toEqual([-514n, 513n]);
    // What 2 is added to lies 2 below.
    expect(integerRanges(graph, held).get(ids)!.range).toEqual([-516n, 511n]);
  });

  test('what is demanded in a trip is demanded for all that is carried', () => {
    const graph = new Graph();
    const table = graph.constant(Weight.from(tensor('int64', [8], [0, 0, 0, 0, 0, 0, 0, 5])));
    const body = new Graph('body', graph);
    body.input('i', 'int64', []);
    const goes = body.input('goes', 'bool', []);
    const before = body.input('before', 'int64', []);
    const start = body.capture(graph.input('start', 'int64', []));
    const { y: index } = body.add(ops.Add, { a: start, b: before }, {});
    body.output('goes', goes);
    body.output('after', body.add(ops.Gather, { x: table, indices: index }, { axis: 0 }).y);
    const trips = graph.literal('int64', [], [4]);
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips: trips, carried: [graph.literal('int64', [], [0])] },
      { carried: 1 },
      { regions: { body: body.region() } },
    );
    expect(rangeOf(graph, outputs[0]!).range).toEqual([0n, 5n]);
    // An index of -8 … 7 less what is carried, 0 … 5.
    expect(integerRanges(graph, held).get(start)!.range).toEqual([-13n, 7n]);
  });

  test('expressions over dimensions; a dimension of a tensor is one that can be', () => {
    const graph = new Graph();
    const x = graph.input('x', 'float32', [symbol('n')]);
    const { y: size } = graph.add(ops.Shape, { x }, {});
    const { y: next } = graph.add(ops.Add, { a: size, b: graph.literal('int64', [1], [1]) }, {});
    expect(rangeOf(graph, next).exact).toEqual([2n, maxInt32 + 1n]);
    const padded = graph.add(ops.Pad, { x }, { mode: 'constant', pads: [0, 1] }).y;
    graph.output('padded', padded);
    expect(integerRanges(graph, held).get(next)!.exact).toEqual([2n, maxInt32]);
  });

  test('constants that lie in a file are not read', () => {
    const graph = new Graph();
    const never = () => Promise.reject(new Error('read'));
    const stored = graph.constant(Weight.stored('int64', [4096], 'w', never));
    const { y } = graph.add(ops.Mul, { a: stored, b: graph.literal('int64', [], [2]) }, {});
    expect(rangeOf(graph, y).exact).toEqual([2n * int32[0], 2n * int32[1]]);
  });

  test('integers that pass through floats keep what rounding leaves of their bounds', () => {
    const graph = new Graph();
    const x = graph.add(ops.Clip, { x: graph.input('x', 'int64', [2]) }, { min: 0, max: 2 ** 24 + 1 }).y;
    const float = graph.add(ops.Cast, { x }, { to: 'float32' }).y;
    const half = graph.add(ops.Clip, { x: float }, { min: null, max: 2 ** 24 + 2.5 }).y;
    const { y } = graph.add(ops.Cast, { x: half }, { to: 'int64' });
    // 2^24 + 1 is halfway between two float32 numbers and becomes the even one, 2^24.
    expect(rangeOf(graph, y).range).toEqual([0n, 2n ** 24n + 1n]);
    const sum = graph.add(ops.Add, { a: float, b: graph.literal('float32', [], [2]) }, {}).y;
    graph.output('sum', sum);
    // 2^24 + 3 rounds to 2^24 + 4.
    expect(integerRanges(graph, held).get(sum)!.range).toEqual([2n, 2n ** 24n + 4n]);
  });

  test('either body of a choice', () => {
    const graph = new Graph();
    const condition = graph.input('c', 'bool', []);
    const body = (value: number) => {
      const inner = new Graph('body', graph);
      inner.output('y', inner.add(ops.Expand, { x: inner.literal('int64', [], [value]) }, { shape: [2] }).y);
      return inner.region();
    };
    const { outputs } = graph.add(ops.If, { condition }, {}, { regions: { then: body(-4), else: body(9) } });
    expect(rangeOf(graph, outputs[0]!).exact).toEqual([-4n, 9n]);
  });

  /** A loop of four trips that carries what `step` makes of the trip and the value before, from 1 on. */
  function looped(step: (body: Graph, trip: Value, before: Value) => Value): { exact: Interval; range: Interval } {
    const graph = new Graph();
    const body = new Graph('body', graph);
    const trip = body.input('i', 'int64', []);
    const goes = body.input('goes', 'bool', []);
    const before = body.input('before', 'int64', []);
    const after = step(body, trip, before);
    body.output('goes', goes);
    body.output('after', after);
    const { outputs } = graph.add(
      ops.Loop,
      { maxTrips: graph.literal('int64', [], [4]), carried: [graph.literal('int64', [], [1])] },
      { carried: 1 },
      { regions: { body: body.region() } },
    );
    return rangeOf(graph, outputs[0]!);
  }

  test('a carried value is what it was or what a trip makes of it', () => {
    // Trips are 0 … 3.
    expect(looped((body, trip, before) => body.add(ops.Max, { a: trip, b: before }, {}).y).range).toEqual([1n, 3n]);
  });

  test('a carried value that grows from trip to trip may be anything', () => {
    expect(looped((body, trip, before) => body.add(ops.Add, { a: trip, b: before }, {}).y).range).toEqual(int32);
  });

  test('states and slices of a scan', () => {
    const graph = new Graph();
    const x = graph.add(ops.Clip, { x: graph.input('x', 'int64', [5]) }, { min: 0, max: 7 }).y;
    const body = new Graph('body', graph);
    const state = body.input('state', 'int64', []);
    const slice = body.input('slice', 'int64', []);
    body.output('state', body.add(ops.Min, { a: state, b: slice }, {}).y);
    body.output('doubled', body.add(ops.Add, { a: slice, b: slice }, {}).y);
    const attrs = { states: 1, inputAxes: [0], inputReverse: [false], outputAxes: [0], outputReverse: [false] };
    const { outputs } = graph.add(ops.Scan, { inputs: [graph.literal('int64', [], [3]), x] }, attrs, { regions: { body: body.region() } });
    graph.output('doubled', outputs[1]!);
    expect(rangeOf(graph, outputs[0]!).range).toEqual([0n, 3n]);
    expect(integerRanges(graph, held).get(outputs[1]!)!.range).toEqual([0n, 14n]);
  });
});

/** Adds one node that uses values of `pool`, chosen by `pick`; a number chooses constants. */
type Grow = (graph: Graph, pick: () => Value, n: number, dtype: DType) => Value;

const scalar = (graph: Graph, dtype: DType, n: number) => graph.literal(dtype, [], [n]);
const other = (n: number) => (n === 0 ? 3 : n);

const growths: readonly Grow[] = [
  (graph, pick) => graph.add(ops.Add, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Sub, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Mul, { a: pick(), b: pick() }, {}).y,
  (graph, pick, n, dtype) => graph.add(ops.Div, { a: pick(), b: scalar(graph, dtype, other(n)) }, {}).y,
  (graph, pick, n, dtype) =>
    graph.add(ops.Mod, { a: pick(), b: scalar(graph, dtype, other(n)) }, { sign: n % 2 ? 'divisor' : 'dividend' }).y,
  (graph, pick, n, dtype) => graph.add(ops.Pow, { a: pick(), b: scalar(graph, dtype, Math.abs(n) % 5) }, {}).y,
  (graph, pick) => graph.add(ops.Min, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Max, { a: pick(), b: pick() }, {}).y,
  (graph, pick, n) => graph.add(ops.Clip, { x: pick() }, { min: 0, max: Math.abs(n) }).y,
  (graph, pick) => graph.add(ops.Abs, { x: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Sign, { x: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseAnd, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseOr, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseXor, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseNot, { x: pick() }, {}).y,
  (graph, pick, n) => graph.add(ops.CumSum, { x: pick() }, { axis: 0, exclusive: n % 2 === 0, reverse: n > 0 }).y,
  (graph, pick, n) => graph.add(ops.ReduceSum, { x: pick() }, { axes: n % 2 ? [0] : [], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceProd, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMean, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMax, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMin, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceL1, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceSumSquare, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick, n, dtype) =>
    graph.add(
      ops.Where,
      { condition: graph.add(ops.Less, { a: pick(), b: scalar(graph, dtype, Math.abs(n)) }, {}).y, x: pick(), y: pick() },
      {},
    ).y,
  (graph, pick, _, dtype) => graph.add(ops.Cast, { x: graph.add(ops.Cast, { x: pick() }, { to: 'int8' }).y }, { to: dtype }).y,
  (graph, pick, _, dtype) => graph.add(ops.Cast, { x: graph.add(ops.Cast, { x: pick() }, { to: 'uint8' }).y }, { to: dtype }).y,
  (graph, pick, n, dtype) => {
    const float = graph.add(ops.Cast, { x: pick() }, { to: n % 2 ? 'float32' : 'float16' }).y;
    const held = graph.add(ops.Clip, { x: float }, { min: -Math.abs(n) - 0.5, max: 99.5 }).y;
    const whole = graph.add(n > 0 ? ops.Floor : ops.Round, { x: held }, {}).y;
    return dtype.startsWith('u') ? pick() : graph.add(ops.Cast, { x: whole }, { to: dtype }).y;
  },
  (graph, pick, n) =>
    graph.add(ops.Reverse, { x: graph.add(ops.Concat, { inputs: [pick(), pick()] }, { axis: 0 }).y }, { axes: n % 2 ? [0] : [] }).y,
];

test('every computed element lies in its range', async () => {
  const types = ['int64', 'int32', 'int8', 'uint8', 'uint64'] as const;
  const step = fc.tuple(fc.nat(growths.length - 1), fc.integer({ min: -6, max: 6 }), fc.nat(), fc.nat(), fc.nat());
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.array(step, { minLength: 1, maxLength: 7 }),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), { minLength: 2, maxLength: 2 }),
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 2 }),
      async (dtype, steps, wide, narrow) => {
        const graph = new Graph();
        const [low] = intRange(dtype)!;
        const inside = (n: bigint) => (low === 0n ? BigInt.asUintN : BigInt.asIntN)(Number(/\d+/.exec(dtype)![0]), n);
        // One operand of any values, one of few, one constant.
        const any = graph.input('any', dtype, [2]);
        const few = graph.add(ops.Clip, { x: graph.input('few', dtype, [2]) }, { min: low === 0n ? 2 : -5, max: 9 }).y;
        const pool = [any, few, graph.literal(dtype, [1], [3])];
        for (const [which, n, ...choices] of steps) {
          let next = 0;
          const pick = () => {
            // Shapes of the pool are [1] and [2], or longer where pieces were joined: those are used alone.
            const value = pool[choices[next++ % choices.length]! % pool.length]!;
            return (value.shape![0] as number) > 2 ? few : value;
          };
          pool.push(growths[which]!(graph, pick, low === 0n ? Math.abs(n) : n, dtype));
        }
        pool.forEach((value, i) => graph.output(`y${i}`, value));
        const ranges = integerRanges(graph);
        const given = [wide.map(inside), narrow.map((n) => inside(BigInt(n)))].map((data) => tensor(dtype, [2], data));
        const run = evaluateSteps(graph, given);
        for (let each = await run.next(); !each.done; each = await run.next())
          each.value.node.outputs.forEach((value, i) => checkElements(value, each.value.outputs[i]!, ranges.get(value)?.range));
      },
    ),
    { numRuns: 400 },
  );
});

function checkElements(value: Value, { data }: Tensor, range: Interval | undefined): void {
  if (!range) return;
  for (const element of data as Iterable<number | bigint>) {
    if (!(element >= range[0] && element <= range[1])) throw new RangeError(`${element} of ${value} is not within ${range.join(' … ')}`);
  }
}
