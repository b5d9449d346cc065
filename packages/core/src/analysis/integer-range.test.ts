import fc from 'fast-check';
import { ByteHandle } from '../bytes/byte-handle.js';
import { Graph } from '../graph/graph.js';
import { bindInputs } from '../evaluate/bind-inputs.js';
import { Evaluator } from '../evaluate/evaluator.js';
import type { Value } from '../graph/value.js';
import { ops } from '../ops/ops.js';
import { symbol } from '../tensor/dim.js';
import { intRange, type DType } from '../tensor/dtype.js';
import { intervalOf, type Interval } from '../tensor/interval.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { Weight } from '../tensor/weight.js';
import { integerRanges } from './integer-range.js';

const maxInt32 = 2n ** 31n - 1n;
const int32: Interval = [-maxInt32 - 1n, maxInt32];
/** What a target without 64-bit integers holds. */
const held = (dtype: DType): Interval | undefined =>
  dtype === 'int64' ? int32 : intervalOf(dtype);

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
    expect(rangeOf(graph, y)).toEqual({
      exact: [-maxInt32, maxInt32],
      range: [-maxInt32, maxInt32],
    });
    expect(integerRanges(graph, held).get(more)).toEqual({
      exact: [-maxInt32, maxInt32 + 1n],
      range: [-maxInt32, maxInt32],
    });
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
    const table = graph.constant(
      Weight.from(tensor('float32', [514, 1], new Array<number>(514).fill(0))),
    );
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
    const never = ByteHandle.computed(8 * 4096, () => {
      throw new Error('read');
    });
    const stored = graph.constant(Weight.stored('int64', [4096], 'w', never));
    const { y } = graph.add(ops.Mul, { a: stored, b: graph.literal('int64', [], [2]) }, {});
    expect(rangeOf(graph, y).exact).toEqual([2n * int32[0], 2n * int32[1]]);
  });

  test('integers that pass through floats keep what rounding leaves of their bounds', () => {
    const graph = new Graph();
    const x = graph.add(
      ops.Clip,
      { x: graph.input('x', 'int64', [2]) },
      { min: 0, max: 2 ** 24 + 1 },
    ).y;
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
      inner.output(
        'y',
        inner.add(ops.Expand, { x: inner.literal('int64', [], [value]) }, { shape: [2] }).y,
      );
      return inner.region();
    };
    const { outputs } = graph.add(
      ops.If,
      { condition },
      {},
      { regions: { then: body(-4), else: body(9) } },
    );
    expect(rangeOf(graph, outputs[0]!).exact).toEqual([-4n, 9n]);
  });

  /**
   * A loop of four trips that carries what `step` makes of the trip and the value before, from 1
   * on.
   */
  function looped(step: (body: Graph, trip: Value, before: Value) => Value): {
    exact: Interval;
    range: Interval;
  } {
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
    expect(
      looped((body, trip, before) => body.add(ops.Max, { a: trip, b: before }, {}).y).range,
    ).toEqual([1n, 3n]);
  });

  test('a carried value to which every trip adds is as far away as the trips allow', () => {
    // 1 and four times 0 … 3.
    expect(
      looped((body, trip, before) => body.add(ops.Add, { a: trip, b: before }, {}).y).range,
    ).toEqual([1n, 13n]);
  });

  test('a carried value that grows otherwise may be anything', () => {
    expect(
      looped((body, _, before) => body.add(ops.Add, { a: before, b: before }, {}).y).range,
    ).toEqual(int32);
    expect(
      looped(
        (body, _, before) =>
          body.add(ops.Mul, { a: before, b: body.literal('int64', [], [3]) }, {}).y,
      ).range,
    ).toEqual(int32);
  });

  test('a counter of trips that nothing limits is within 32 bits', () => {
    const graph = new Graph();
    const body = new Graph('body', graph);
    body.input('i', 'int64', []);
    body.input('goes', 'bool', []);
    const count = body.input('count', 'int64', []);
    const next = body.add(ops.Add, { a: count, b: body.literal('int64', [], [1]) }, {}).y;
    body.output(
      'goes',
      body.add(ops.Less, { a: next, b: body.capture(graph.input('end', 'int64', [])) }, {}).y,
    );
    body.output('next', next);
    const { outputs } = graph.add(
      ops.Loop,
      { carried: [graph.literal('int64', [], [0])] },
      { carried: 1 },
      { regions: { body: body.region() } },
    );
    expect(rangeOf(graph, outputs[0]!).range).toEqual([0n, maxInt32]);
    expect(integerRanges(graph, held).get(next)!.exact).toEqual([1n, maxInt32]);
  });

  test('loops within loops take no more time than there are of them', () => {
    const nested = (parent: Graph, depth: number): Value => {
      const body = new Graph('body', parent);
      body.input('i', 'int64', []);
      const goes = body.input('goes', 'bool', []);
      const before = body.input('before', 'int64', []);
      const inner = depth > 0 ? nested(body, depth - 1) : before;
      body.output('goes', goes);
      body.output('after', body.add(ops.Sub, { a: inner, b: before }, {}).y);
      const carried = [parent.literal('int64', [], [1])];
      return parent.add(
        ops.Loop,
        { maxTrips: parent.literal('int64', [], [4]), carried },
        { carried: 1 },
        { regions: { body: body.region() } },
      ).outputs[0]!;
    };
    const graph = new Graph();
    // Twice the work for each of 60 levels would not end.
    expect(rangeOf(graph, nested(graph, 60)).range).toEqual(int32);
  });

  test('states and slices of a scan', () => {
    const graph = new Graph();
    const x = graph.add(ops.Clip, { x: graph.input('x', 'int64', [5]) }, { min: 0, max: 7 }).y;
    const body = new Graph('body', graph);
    const state = body.input('state', 'int64', []);
    const slice = body.input('slice', 'int64', []);
    body.output('state', body.add(ops.Min, { a: state, b: slice }, {}).y);
    body.output('doubled', body.add(ops.Add, { a: slice, b: slice }, {}).y);
    const attrs = {
      states: 1,
      inputAxes: [0],
      inputReverse: [false],
      outputAxes: [0],
      outputReverse: [false],
    };
    const { outputs } = graph.add(
      ops.Scan,
      { inputs: [graph.literal('int64', [], [3]), x] },
      attrs,
      { regions: { body: body.region() } },
    );
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
  (graph, pick, n, dtype) =>
    graph.add(ops.Div, { a: pick(), b: scalar(graph, dtype, other(n)) }, {}).y,
  (graph, pick, n, dtype) =>
    graph.add(
      ops.Mod,
      { a: pick(), b: scalar(graph, dtype, other(n)) },
      { sign: n % 2 ? 'divisor' : 'dividend' },
    ).y,
  (graph, pick, n, dtype) =>
    graph.add(ops.Pow, { a: pick(), b: scalar(graph, dtype, Math.abs(n) % 5) }, {}).y,
  (graph, pick) => graph.add(ops.Min, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Max, { a: pick(), b: pick() }, {}).y,
  (graph, pick, n) => graph.add(ops.Clip, { x: pick() }, { min: 0, max: Math.abs(n) }).y,
  (graph, pick) => graph.add(ops.Abs, { x: pick() }, {}).y,
  (graph, pick) => graph.add(ops.Sign, { x: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseAnd, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseOr, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseXor, { a: pick(), b: pick() }, {}).y,
  (graph, pick) => graph.add(ops.BitwiseNot, { x: pick() }, {}).y,
  (graph, pick, n) =>
    graph.add(ops.CumSum, { x: pick() }, { axis: 0, exclusive: n % 2 === 0, reverse: n > 0 }).y,
  (graph, pick, n) =>
    graph.add(ops.ReduceSum, { x: pick() }, { axes: n % 2 ? [0] : [], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceProd, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMean, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMax, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceMin, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceL1, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick) => graph.add(ops.ReduceSumSquare, { x: pick() }, { axes: [0], keepdims: true }).y,
  (graph, pick, n, dtype) =>
    graph.add(
      ops.Where,
      {
        condition: graph.add(ops.Less, { a: pick(), b: scalar(graph, dtype, Math.abs(n)) }, {}).y,
        x: pick(),
        y: pick(),
      },
      {},
    ).y,
  (graph, pick, _, dtype) =>
    graph.add(ops.Cast, { x: graph.add(ops.Cast, { x: pick() }, { to: 'int8' }).y }, { to: dtype })
      .y,
  (graph, pick, _, dtype) =>
    graph.add(ops.Cast, { x: graph.add(ops.Cast, { x: pick() }, { to: 'uint8' }).y }, { to: dtype })
      .y,
  (graph, pick, n, dtype) => {
    const float = graph.add(ops.Cast, { x: pick() }, { to: n % 2 ? 'float32' : 'float16' }).y;
    const held = graph.add(ops.Clip, { x: float }, { min: -Math.abs(n) - 0.5, max: 99.5 }).y;
    const whole = graph.add(n > 0 ? ops.Floor : ops.Round, { x: held }, {}).y;
    return dtype.startsWith('u') ? pick() : graph.add(ops.Cast, { x: whole }, { to: dtype }).y;
  },
  (graph, pick, n) =>
    graph.add(
      ops.Reverse,
      { x: graph.add(ops.Concat, { inputs: [pick(), pick()] }, { axis: 0 }).y },
      { axes: n % 2 ? [0] : [] },
    ).y,
];

test('every computed element lies in its range', async () => {
  const types = ['int64', 'int32', 'int8', 'uint8', 'uint64'] as const;
  const step = fc.tuple(
    fc.nat(growths.length - 1),
    fc.integer({ min: -6, max: 6 }),
    fc.nat(),
    fc.nat(),
    fc.nat(),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...types),
      fc.array(step, { minLength: 1, maxLength: 7 }),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), {
        minLength: 2,
        maxLength: 2,
      }),
      fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 2, maxLength: 2 }),
      async (dtype, steps, wide, narrow) => {
        const graph = new Graph();
        const [low] = intRange(dtype)!;
        const inside = (n: bigint) =>
          (low === 0n ? BigInt.asUintN : BigInt.asIntN)(Number(/\d+/.exec(dtype)![0]), n);
        // One operand of any values, one of few, one constant.
        const any = graph.input('any', dtype, [2]);
        const few = graph.add(
          ops.Clip,
          { x: graph.input('few', dtype, [2]) },
          { min: low === 0n ? 2 : -5, max: 9 },
        ).y;
        const pool = [any, few, graph.literal(dtype, [1], [3])];
        for (const [which, n, ...choices] of steps) {
          let next = 0;
          const pick = () => {
            // Shapes of the pool are [1] and [2], or longer where pieces were joined: those are
            // used alone.
            const value = pool[choices[next++ % choices.length]! % pool.length]!;
            return (value.shape![0] as number) > 2 ? few : value;
          };
          pool.push(growths[which]!(graph, pick, low === 0n ? Math.abs(n) : n, dtype));
        }
        pool.forEach((value, i) => graph.output(`y${i}`, value));
        const ranges = integerRanges(graph);
        const given = [wide.map(inside), narrow.map((n) => inside(BigInt(n)))].map((data) =>
          tensor(dtype, [2], data),
        );
        await new Evaluator(graph, bindInputs(graph, given)).run(({ node, outputs }) =>
          node.outputs.forEach((value, i) =>
            checkElements(value, outputs[i]!, ranges.get(value)?.range),
          ),
        );
      },
    ),
    { numRuns: 400 },
  );
});

function checkElements(value: Value, { data }: Tensor, range: Interval | undefined): void {
  if (!range) return;
  for (const element of data as Iterable<number | bigint>) {
    if (!(element >= range[0] && element <= range[1]))
      throw new RangeError(`${element} of ${value} is not within ${range.join(' … ')}`);
  }
}
