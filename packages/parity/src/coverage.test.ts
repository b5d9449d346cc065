import { memorySource, parseGraph, type Format, type OpenedModel } from '@drover/core';
import { runBaseline } from './baseline.js';
import { compareWithModel } from './compare.js';

/** A model that is read from the text of a graph. */
function model(text: string): OpenedModel {
  const format = {
    id: 'text',
    title: 'text',
    options: { read: {}, write: {} },
    model: { read: async () => ({ graph: parseGraph(text), file: 'm.text' }) },
  } as unknown as Format;
  const bytes = new TextEncoder().encode(text);
  return { format, source: memorySource('m.text', new Map([['m.text', bytes]])) };
}

async function covered(first: string, second = first) {
  const baseline = await runBaseline(model(first), { runtimes: [] });
  const { verdict, coverage } = await compareWithModel(baseline, model(second), { runtimes: [] });
  return { ...coverage, verdict };
}

/** Doubles where the sum of x is below a limit, and else multiplies by a factor. */
const branching = (limit: number, factor: number) => `graph main(x: float32[4]) {
  limit: float32[] = constant [${limit}]
  sum: float32[] = ReduceSum(x) {"axes":[0],"keepdims":false}
  isLow: bool[] = Less(sum, limit)
  y: float32[4] = If(isLow)
    then [x] graph low(a: float32[4]) {
      p: float32[4] = Add(a, a)
      return p
    }
    else [x] graph high(b: float32[4]) {
      factor: float32[] = constant [${factor}]
      q: float32[4] = Mul(b, factor)
      return q
    }
  return y
}
`;

describe('a branch that no run takes', () => {
  it('is told, and its weights are held against those of the second model', async () => {
    expect(await covered(branching(1000, 3))).toMatchObject({
      verdict: 'agree',
      bodies: [{ body: 'else', isHeld: true }],
      findings: [expect.stringContaining('No run entered the body else')],
    });
  });

  it('leaves it undecided where the second model stores other weights', async () => {
    expect(await covered(branching(1000, 3), branching(1000, 3.1))).toMatchObject({
      verdict: 'undecided',
      bodies: [{ body: 'else', isHeld: false }],
    });
  });

  it('is none where a later run takes it', async () => {
    const { verdict, bodies } = await covered(branching(1.5, 3));
    expect([verdict, bodies]).toEqual(['agree', []]);
  });
});

/** Three channels of a dense layer, of which `bias` keeps some at zero. */
const dense = (bias: readonly number[]) => `graph main(x: float32[2, 2]) {
  w: float32[2, 3] = constant [1, -2, 3, 4, 5, -6]
  bias: float32[3] = constant [${bias.join(', ')}]
  sums: float32[2, 3] = MatMul(x, w)
  biased: float32[2, 3] = Add(sums, bias)
  active: float32[2, 3] = Relu(biased)
  y: float32[2, 5] = Concat(active, x) {"axis":1}
  return y
}
`;

describe('channels that are zero throughout', () => {
  it('are counted', async () => {
    expect(await covered(dense([900, -900, 900]))).toMatchObject({
      verdict: 'agree',
      units: { all: 3, dead: 1 },
      findings: [],
    });
  });

  it('leave it undecided where they are all of a layer', async () => {
    expect(await covered(dense([-900, -900, -900]))).toMatchObject({
      verdict: 'undecided',
      units: { all: 3, dead: 3 },
      findings: [expect.stringContaining('All 3 channels of')],
    });
  });
});

/** Looks up rows of a table, at zeros or where the input says. */
const lookup = (indices: string) => `graph main(ids: int64[2], x: float32[2, 2]) {
  zero: int64[] = constant [0]
  table: float32[7, 2] = constant [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
  zeros: int64[2] = Mul(ids, zero)
  rows: float32[2, 2] = Gather(table, ${indices}) {"axis":0}
  y: float32[2, 2] = Add(rows, x)
  return y
}
`;

describe('rows of a table that no run reads', () => {
  it('are told where an index may be any of them', async () => {
    expect(await covered(lookup('ids'))).toMatchObject({
      verdict: 'agree',
      tables: [{ rows: 7, reachable: 7, read: expect.any(Number), isHeld: true }],
    });
  });

  it('are nothing to tell where no index can be theirs', async () => {
    expect(await covered(lookup('zeros'), lookup('zeros').replace('14]', '15]'))).toMatchObject({
      verdict: 'agree',
      tables: [{ rows: 7, reachable: 1, read: 1, isHeld: true }],
      findings: ['No output moves with the input "ids".'],
    });
  });
});
