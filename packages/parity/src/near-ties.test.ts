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
