import { parseGraph, tensor, toNumbers, type Tensor } from '@drover/core';
import { judge } from './judge.js';
import { consultOracle } from './oracle.js';

async function judged(
  text: string,
  x: Tensor,
  change: (outputs: Map<string, Tensor>) => Map<string, Tensor> | Promise<Map<string, Tensor>>,
) {
  const graph = parseGraph(text);
  const names = graph.outputs.map(({ name }) => name);
  const oracle = await consultOracle(graph, new Map([['x', x]]), names, 'm');
  const target = await change(new Map(oracle.outputs));
  const [output] = (await judge(names, [{ target, oracle }])).outputs;
  return { ...output!, oracle };
}

const scores = `graph main(x: float32[3, 4]) {
  third: float32[] = constant [0.33333334]
  score: float32[3, 4] = Mul(x, third)
  best: int64[3] = ArgMax(score) {"axis":1,"keepdims":false,"selectLastIndex":false}
  return best
}
`;

describe('an index at a tie', () => {
  // The second row has two scores that a unit in the last place parts.
  const x = tensor('float32', [3, 4], [1, 2, 3, 4, 1, 5, 5.0000005, 0, 9, 1, 2, 3]);
  const put = (row: number, index: bigint) => (outputs: Map<string, Tensor>) => {
    const best = outputs.get('best')!;
    const data = BigInt64Array.from(best.data as BigInt64Array);
    data[row] = index;
    return new Map([['best', { ...best, data } as Tensor]]);
  };

  it('is a near-tie on the other side of it, and names node and element', async () => {
    const { verdict, reason } = await judged(scores, x, put(1, 1n));
    expect(verdict).toBe('near-tie');
    expect(reason).toMatch(/ArgMax "best", element 1/);
  });

  it('differs anywhere else', async () => {
    expect((await judged(scores, x, put(1, 0n))).verdict).toBe('differ');
    expect((await judged(scores, x, put(0, 2n))).verdict).toBe('differ');
  });
});

/** A layer whose input and output are codes of eight bits. */
const quantised = `graph main(x: float32[64, 32]) {
  w: float32[32, 16] = constant [${Array.from({ length: 512 }, (_, i) => Math.sin(i).toFixed(4)).join(', ')}]
  scale: float32[] = constant [0.03]
  zero: int8[] = constant [0]
  q: int8[64, 32] = QuantizeLinear(x, scale, zero) {"axis":null,"blockSize":0,"saturate":true,"to":"int8"}
  d: float32[64, 32] = DequantizeLinear(q, scale, zero) {"axis":null,"blockSize":0}
  y: float32[64, 16] = MatMul(d, w)
  wide: float32[] = constant [0.01]
  p: int8[64, 16] = QuantizeLinear(y, wide, zero) {"axis":null,"blockSize":0,"saturate":true,"to":"int8"}
  r: float32[64, 16] = DequantizeLinear(p, wide, zero) {"axis":null,"blockSize":0}
  z: float32[64, 16] = MatMul(r, v)
  return z
}
`.replace(
  '  z: float32',
  `  v: float32[16, 16] = constant [${Array.from({ length: 256 }, (_, i) => Math.cos(i).toFixed(4)).join(', ')}]\n  z: float32`,
);

describe('a quantised network', () => {
  // A few values lie at ties between codes, as those of another quantised layer do.
  const x = tensor(
    'float32',
    [64, 32],
    Array.from(
      { length: 2048 },
      (_, i) => 0.03 * (Math.round(40 * Math.sin(i)) + (i % 64 === 0 ? 0.5 : 0.2)),
    ),
  );

  it('agrees with a run that rounds otherwise, though codes turn', async () => {
    const { verdict, error, tolerance, oracle } = await judged(quantised, x, async () => {
      const graph = parseGraph(quantised);
      const again = await consultOracle(graph, new Map([['x', x]]), ['z'], 'm');
      return new Map(await again.another(77, 1));
    });
    expect((await oracle.ties()).length).toBeGreaterThan(0);
    // Further off than rounding alone leads, by codes that turned.
    expect(error!.max).toBeGreaterThan(tolerance!.max);
    expect(verdict).toBe('agree');
  });

  it('differs when a weight is off', async () => {
    const spoiled = quantised.replace(
      'v: float32[16, 16] = constant [1.0000',
      'v: float32[16, 16] = constant [3.0000',
    );
    expect(spoiled).not.toBe(quantised);
    const { verdict } = await judged(quantised, x, async () => {
      const other = await consultOracle(parseGraph(spoiled), new Map([['x', x]]), ['z'], 'm');
      return new Map(other.outputs);
    });
    expect(verdict).toBe('differ');
  });

  it('gives codes as often turned as they turn anyway, and no more', async () => {
    const codes = quantised.replace('return z', 'return p');
    const graph = parseGraph(codes);
    const oracle = await consultOracle(graph, new Map([['x', x]]), ['p'], 'm');
    const expected = toNumbers((await oracle.another(77, 1)).get('p')!);
    const exact = oracle.outputs.get('p')!;
    const turned = expected.filter((code, i) => code !== toNumbers(exact)[i]).length;
    const as = (data: Float64Array) => new Map([['p', { ...exact, data } as Tensor]]);
    const verdictOf = async (data: Float64Array) =>
      (await judge(['p'], [{ target: as(data), oracle }])).verdict;
    expect(turned).toBeGreaterThan(0);
    expect(await verdictOf(expected)).toBe('agree');
    expect(await verdictOf(toNumbers(exact).map((code) => code + 1))).toBe('differ');
  });
});

describe('what ties do not explain', () => {
  const graph = `graph main(x: float32[64]) {
  zero: float32[] = constant [0]
  isPositive: bool[64] = Greater(x, zero)
  half: float32[] = constant [0.3]
  part: float32[64] = Mul(x, half)
  y: float32[64] = Where(isPositive, part, x)
  return y
}
`;
  const x = tensor(
    'float32',
    [64],
    Array.from({ length: 64 }, (_, i) => Math.sin(i + 1)),
  );

  it('is NaN in one of the models', async () => {
    const { verdict, oracle } = await judged(graph, x, (outputs) => {
      const y = outputs.get('y')!;
      const data = Float64Array.from(toNumbers(y));
      data[5] = NaN;
      return new Map([['y', { ...y, data } as Tensor]]);
    });
    expect([oracle.jumps, verdict]).toEqual([true, 'differ']);
  });

  it('is an expectation that is off, though the model is not', async () => {
    const parsed = parseGraph(graph);
    const oracle = await consultOracle(parsed, new Map([['x', x]]), ['y'], 'm');
    const y = oracle.outputs.get('y')!;
    const off = toNumbers(y).map((value) => value * 1.01);
    const evidence = {
      source: new Map([['y', { ...y, data: off } as Tensor]]),
      isSourceExpected: true,
      target: oracle.outputs,
      oracle,
    };
    expect((await judge(['y'], [evidence])).verdict).toBe('differ');
  });
});

it('a list of another length is a near-tie where rounding lets it have one', async () => {
  const graph = `graph main(x: float32[8]) {
  limit: float32[] = constant [0.3]
  third: float32[] = constant [0.33333334]
  part: float32[8] = Mul(x, third)
  isLarge: bool[8] = Greater(part, limit)
  places: int64[1, ?n] = NonZero(isLarge)
  return places
}
`;
  // The last part is 0.3 but for its rounding.
  const x = tensor('float32', [8], [3, 0, 3, 0, 3, 0, 3, 0.90000001]);
  const { shape } = (await judged(graph, x, (outputs) => outputs)).oracle.outputs.get('places')!;
  const other = (count: number) =>
    judged(
      graph,
      x,
      () => new Map([['places', tensor('int64', [1, count], [0, 2, 4, 6, 7].slice(0, count))]]),
    );
  expect(shape[1] === 4 || shape[1] === 5).toBe(true);
  expect((await other(shape[1] === 4 ? 5 : 4)).verdict).toBe('near-tie');
  expect((await other(3)).verdict).toBe('differ');
});

it('a box that overlaps by the threshold but for rounding may be taken or not', async () => {
  const graph = `graph main(x: float32[3, 4]) {
  third: float32[] = constant [0.33333334]
  boxes: float32[3, 4] = Mul(x, third)
  scores: float32[3] = constant [0.9, 0.8, 0.7]
  taken: int64[?n] = NonMaxSuppression(boxes, scores) {"count":[3],"iouThreshold":0.5,"scoreThreshold":0}
  return taken
}
`;
  const x = tensor('float32', [3, 4], [0, 0, 6, 3, 0, 0, 3, 3, 15, 15, 18, 18]);
  const taking = (...boxes: number[]) =>
    judged(graph, x, () => new Map([['taken', tensor('int64', [boxes.length], boxes)]]));
  const either = [await taking(0, 2), await taking(0, 1, 2)].map(({ verdict }) => verdict);
  expect(either.toSorted()).toEqual(['agree', 'near-tie']);
  expect((await taking(0, 1)).verdict).toBe('differ');
});

it('two scores that a unit in the last place parts may change their places', async () => {
  const graph = `graph main(x: float32[5]) {
  third: float32[] = constant [0.33333334]
  score: float32[5] = Mul(x, third)
  best: float32[2], places: int64[2] = TopK(score) {"axis":0,"largest":true,"sorted":true,"k":[2]}
  return places
}
`;
  const x = tensor('float32', [5], [1, 5, 2, 5.0000005, 3]);
  const placing = async (...places: number[]) => {
    const target = new Map([['places', tensor('int64', [2], places)]]);
    const { verdict, reason } = await judged(graph, x, () => target);
    return [verdict, reason];
  };
  expect(await placing(3, 1)).toEqual(['agree', null]);
  expect(await placing(1, 3)).toEqual(['near-tie', expect.stringMatching(/TopK "best"/)]);
  expect(await placing(3, 4)).toEqual(['differ', expect.anything()]);
});
