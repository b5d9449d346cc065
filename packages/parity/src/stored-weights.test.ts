import { Graph, ops, tensor, Weight } from '@drover/core';
import { constantsOf } from './constants.js';
import { StoredWeights } from './stored-weights.js';
import { Xoshiro128 } from './random.js';

/** A graph that adds constants of these elements, one after the other, to its input. */
function adding(...constants: readonly Float64Array[]): Graph {
  const graph = new Graph('main');
  let sum = graph.input('x', 'float32', []);
  constants.forEach((data, i) => {
    const weight = Weight.from(tensor('float32', [data.length], data), `w${i}`);
    const part = graph.add(
      ops.ReduceSum,
      { x: graph.constant(weight) },
      { axes: [0], keepdims: false },
    );
    sum = graph.add(ops.Add, { a: sum, b: part.y }, {}).y;
  });
  graph.output('y', sum);
  return graph;
}

const random = Xoshiro128.seeded(4);
const drawn = (count: number) =>
  Float64Array.from({ length: count }, () => Math.fround(random.normal()));
const storedOf = (...constants: readonly Float64Array[]) => StoredWeights.of(adding(...constants));

const weights = drawn(4096);
const moved = weights.map((value, i) => (i === 77 ? value + 0.5 : value));

it('finds a tensor that is another but for a few elements, in whatever order', async () => {
  const [own, other] = [await storedOf(weights), await storedOf(moved.toReversed())];
  expect(await own.nearCopies(other)).toEqual([
    { first: 'w0', second: 'w0', elements: 4096, differing: 1, most: expect.closeTo(0.5, 6) },
  ]);
  expect(await own.nearCopies(await storedOf(weights.toReversed()))).toEqual([]);
});

it('finds it among codes and among equal elements, too', async () => {
  const codes = weights.map((value) => Math.round(4 * value));
  const zeros = new Float64Array(64);
  const own = await storedOf(codes, zeros);
  const other = await storedOf(
    codes.map((value, i) => (i === 5 ? 99 : value)),
    zeros.map((value, i) => (i < 3 ? i + 1 : value)),
  );
  const found = (await own.nearCopies(other)).map(({ first, differing }) => [first, differing]);
  expect(found).toEqual([
    ['w0', 1],
    ['w1', 3],
  ]);
});

it('reads each tensor once where none is like another', async () => {
  const [own, other] = [0, 1].map(() => adding(...Array.from({ length: 12 }, () => drawn(512))));
  // Weights that count how often they are read.
  let reads = 0;
  for (const { constant } of [own!, other!].flatMap((graph) => constantsOf(graph))) {
    const tensor = await constant!.tensor();
    constant!.tensor = async () => {
      reads++;
      return tensor;
    };
  }
  const stored = await StoredWeights.of(own!);
  expect(await stored.nearCopies(await StoredWeights.of(other!))).toEqual([]);
  expect(reads).toBe(24);
});

it('holds what others hold, whatever there is beside it', async () => {
  const [one, both] = [await storedOf(weights), await storedOf(moved, weights.toReversed())];
  expect([both.holds(one), one.holds(both)]).toEqual([true, false]);
});
