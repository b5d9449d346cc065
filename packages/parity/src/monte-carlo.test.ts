import { bindInputs, parseGraph, tensor, toNumbers, type Tensor } from '@drover/core';
import { errorOf } from './error-size.js';
import { sampleFreely, sampleRounding } from './monte-carlo.js';

const u = 2 ** -24;
const many = (f: (i: number) => number, count = 4096) =>
  tensor(
    'float32',
    [count],
    Array.from({ length: count }, (_, i) => f(i)),
  );

async function deviation(text: string, x: Tensor, amplitude = 1) {
  const graph = parseGraph(text);
  const { exact, rounded, shares, ties } = await sampleRounding(graph, bindInputs(graph, [x]), {
    seed: 1,
    amplitude,
  });
  return { ...errorOf(rounded[0]!, exact[0]!), shares: shares[0]!, ties };
}

it('disturbs a result as a float32 does: some tenths of a unit in the last place of each element', async () => {
  const text = `graph main(x: float32[4096]) {
  y: float32[4096] = Mul(x, x)
  return y
}
`;
  const { rms, max } = await deviation(
    text,
    many(() => 1),
  );
  // Rounding to nearest is uniform within half a unit, which is u: u / √3 in the mean of squares.
  expect(rms / (u / Math.sqrt(3))).toBeGreaterThan(0.5);
  expect(rms / (u / Math.sqrt(3))).toBeLessThan(1.5);
  expect(max).toBeLessThan(2 * u);
});

it('follows what amplifies an error', async () => {
  const text = (factor: number) => `graph main(x: float32[4096]) {
  one: float32[] = constant [1]
  factor: float32[] = constant [${factor}]
  sum: float32[4096] = Add(x, one)
  back: float32[4096] = Sub(sum, one)
  y: float32[4096] = Mul(back, factor)
  return y
}
`;
  const small = await deviation(
    text(1),
    many(() => 2 ** -10),
  );
  const large = await deviation(
    text(2 ** 12),
    many(() => 2 ** -10),
  );
  expect(large.rms / small.rms).toBeCloseTo(2 ** 12, -2);
  // The sum loses what the result keeps 2^12 times; it is told whose error it is.
  expect(small.shares.get('Add')).toBeGreaterThan(0.95);
});

it('takes a loop for what its body loses, trip by trip', async () => {
  const text = (trips: number) => `graph main(x: float32[4096]) {
  count: int64[] = constant [${trips}]
  go: bool[] = constant [true]
  y: float32[4096] = Loop(count, go, x) {"carried":1}
    body [] graph trip(trip: int64[], on: bool[], state: float32[4096]) {
      factor: float32[] = constant [1.0000001]
      next: float32[4096] = Mul(state, factor)
      return on, next
    }
  return y
}
`;
  const one = await deviation(
    text(1),
    many(() => 1),
  );
  const hundred = await deviation(
    text(100),
    many(() => 1),
  );
  // Independent errors of a hundred trips: their root, 10.
  expect(hundred.rms / one.rms).toBeGreaterThan(8);
  expect(hundred.rms / one.rms).toBeLessThan(12);
  expect([...hundred.shares.keys()]).toEqual(['Mul']);
});

const rounding = `graph main(x: float32[4]) {
  third: float32[] = constant [3]
  part: float32[4] = Div(x, third)
  y: float32[4] = Round(part)
  return y
}
`;

it('holds results that jump to the exact ones, and tells the ties', async () => {
  // 1.5 exactly, and a little beside it: within the error of a quotient and far from it.
  const x = tensor('float32', [4], [4.5, 4.5 + 2e-7, 4.6, 3]);
  const told = new Set<number>();
  for (let seed = 0; seed < 8; seed++) {
    const graph = parseGraph(rounding);
    const errors = { seed, amplitude: 5 };
    const sample = await sampleRounding(graph, bindInputs(graph, [x]), errors);
    expect(sample.jumps).toBe(true);
    expect(sample.rounded[0]!.data).toEqual(sample.exact[0]!.data);
    for (const { node, element } of sample.ties) {
      expect(node.op.name).toBe('Round');
      told.add(element);
    }
  }
  expect(told).toEqual(new Set([0, 1]));
});

it('lets them fall as the errors have it where they are free', async () => {
  const graph = parseGraph(rounding);
  const x = tensor('float32', [4], [4.5, 4.5, 4.6, 3]);
  const seen = new Set<number>();
  for (let seed = 0; seed < 8; seed++) {
    const [y] = await sampleFreely(graph, bindInputs(graph, [x]), { seed });
    seen.add(toNumbers(y!)[0]!);
    expect([...toNumbers(y!)].slice(2)).toEqual([2, 1]);
  }
  expect(seen).toEqual(new Set([1, 2]));
});

it('leaves what has no negative element so', async () => {
  const text = `graph main(x: float32[4096]) {
  y: float32[4096] = Mul(x, x)
  z: float32[4096] = Sqrt(y)
  return z
}
`;
  const { rms } = await deviation(
    text,
    many((i) => (i % 3) * 2 ** -60),
    1e6,
  );
  expect(rms).toBeGreaterThan(0);
});
