import { parseGraph, toNumbers } from '@drover/core';
import { signatureOf } from '@drover/core/format';
import { inputSpecs, withRanges, type InputSpec } from './input-spec.js';
import { makeInputs } from './inputs.js';

const image: InputSpec = {
  name: 'image',
  dtype: 'float32',
  shape: ['batch', 3, 'height', 'width'],
  channels: 1,
};
const ids: InputSpec = {
  name: 'ids',
  dtype: 'int64',
  shape: ['batch', null],
  range: { low: 0, high: 42 },
};
const numbers = (spec: InputSpec, seed: number, run = 0) =>
  toNumbers(makeInputs([spec], { seed, run }).get(spec.name)!);

describe('makeInputs', () => {
  it('gives pairwise different primes to free dimensions, the same to the same symbol, and none that is fixed', () => {
    const made = makeInputs([image, ids, { name: 'vec', dtype: 'float32', shape: [null, 7] }], {
      seed: 1,
    });
    expect(made.get('image')!.shape).toEqual([2, 3, 11, 13]);
    expect(made.get('ids')!.shape).toEqual([2, 17]);
    expect(made.get('vec')!.shape).toEqual([5, 7]);
  });

  it('takes sizes by symbol and by place', () => {
    const sizes = new Map([['batch', 1], ['height', 64], ['ids[1]', 12]]); // prettier-ignore
    const made = makeInputs([image, ids], { seed: 1, sizes });
    expect(made.get('image')!.shape).toEqual([1, 3, 64, 7]);
    expect(made.get('ids')!.shape).toEqual([1, 12]);
  });

  it('goes on past its list of primes', () => {
    const made = makeInputs(
      [{ name: 'x', dtype: 'bool', shape: [0, ...new Array<null>(30).fill(null)] }],
      { seed: 1 },
    );
    const sizes = made.get('x')!.shape.slice(1);
    expect(new Set(sizes).size).toBe(30);
    // 7 is the 4th prime, so the 30th from there is the 33rd: 137.
    expect(sizes.at(-1)).toBe(137);
  });

  it('is the same for the same seed, another for another, and does not depend on the inputs beside it', () => {
    const of = (seed: number, ...specs: InputSpec[]) =>
      [...makeInputs(specs, { seed }).values()][0]!;
    expect(of(1, image)).toEqual(of(1, image));
    expect(of(1, image).data).not.toEqual(of(2, image).data);
    expect(of(1, image, { name: 'b', dtype: 'bool', shape: [4] })).toEqual(of(1, image));
  });

  it('gives values that the type holds', () => {
    const value = (dtype: InputSpec['dtype']) =>
      makeInputs([{ name: 'x', dtype, shape: [100] }], { seed: 2 }).get('x')!.data;
    for (const x of value('float32') as Float64Array) expect(x).toBe(Math.fround(x));
    expect(new Set(value('bool') as Uint8Array)).toEqual(new Set([0, 1]));
    expect(value('complex64')).toHaveLength(200);
    expect(value('string')).toHaveLength(100);
    // binary16 has 11 bits: every value times 2^24 is an integer.
    for (const x of value('float16') as Float64Array)
      expect(Number.isInteger(x * 2 ** 24)).toBe(true);
  });
});

describe('integers', () => {
  it('go through their whole range from run to run, each once before one comes again', () => {
    const spec = { ...ids, shape: [15], range: { low: 0, high: 42 } };
    const runs = [0, 1, 2].map((run) => [...numbers(spec, 5, run)]);
    expect(runs.every((run) => new Set(run).size === 15)).toBe(true);
    // 45 elements over 43 numbers; one gives way to the upper end in the first run.
    expect(new Set(runs.flat()).size).toBeGreaterThanOrEqual(42);
    expect([Math.min(...runs[0]!), Math.max(...runs[0]!)]).toEqual([0, 42]);
  });

  it('of large ranges reach both ends and leave nothing out by a pattern', () => {
    const values = numbers({ ...ids, shape: [64], range: { low: 0, high: 30521 } }, 1);
    expect([Math.min(...values), Math.max(...values), new Set(values).size]).toEqual([
      0, 30521, 64,
    ]);
    const quarters = new Set(Array.from(values, (value) => Math.floor(value / 7631)));
    expect(quarters).toEqual(new Set([0, 1, 2, 3]));
  });

  it('that nothing limits are masks of sequences, and zeros and ones at random in the run after', () => {
    const mask: InputSpec = { name: 'mask', dtype: 'int32', shape: [8, 10] };
    const rows = (run: number) => {
      const values = [...numbers(mask, 3, run)];
      return Array.from({ length: 8 }, (_, i) => values.slice(10 * i, 10 * i + 10).join(''));
    };
    expect(rows(0).every((row) => /^1+0*$/.test(row))).toBe(true);
    expect(rows(0)[0]).toBe('1111111111');
    expect(new Set(rows(0)).size).toBeGreaterThan(2);
    expect(rows(1).some((row) => /01/.test(row))).toBe(true);
  });
});

describe('floats', () => {
  it('of images are smooth, of mean 0 and variance 1, with channels that are alike', () => {
    const values = numbers({ ...image, shape: [1, 3, 32, 32] }, 4);
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length;
    expect([mean, variance].map((x) => Number(x.toFixed(4)))).toEqual([0, 1]);
    const covariance = (step: number) => {
      let sum = 0;
      for (let i = 0; i + step < values.length; i++) sum += values[i]! * values[i + step]!;
      return sum / (values.length - step);
    };
    // Neighbours, rows and channels go together, which those of noise do not.
    expect(covariance(1)).toBeGreaterThan(0.8);
    expect(covariance(32)).toBeGreaterThan(0.7);
    expect(covariance(1024)).toBeGreaterThan(0.3);
  });

  it('lie in the range that is told, and reach into all of it', () => {
    const range = { low: 0, high: 255 };
    const values = numbers({ name: 'x', dtype: 'float32', shape: [1000], range }, 1);
    expect([Math.min(...values) >= 0, Math.max(...values) <= 255]).toEqual([true, true]);
    expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(200);
  });

  it('are larger in the second run, smaller in the third, and zero in places', () => {
    const deviation = (run: number) => {
      const values = numbers({ name: 'x', dtype: 'float32', shape: [4000] }, 1, run);
      return Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
    };
    expect([deviation(0), deviation(1), deviation(2)].map((x) => Number(x.toFixed(0)))).toEqual([
      1, 4, 0,
    ]);
    const zeros = numbers({ name: 'x', dtype: 'float32', shape: [4000] }, 1, 1).filter((x) => !x);
    expect(zeros.length).toBeGreaterThan(150);
  });
});

describe('what a graph admits', () => {
  const specsOf = (text: string, sizes: Record<string, number> = {}) => {
    const graph = parseGraph(text);
    const specs = inputSpecs(signatureOf(graph).inputs, graph);
    return withRanges(specs, graph, new Map(Object.entries(sizes)));
  };

  it('is an index inside its table, from the front, also one that comes as a float', () => {
    const of = (input: string, cast: string) => `graph main(ids: ${input}) {
  table: float32[5, 1] = constant [1, 2, 3, 4, 5]
${cast}  y: float32[n, 1] = Gather(table, ${cast ? 'whole' : 'ids'}) {"axis":0}
  return y
}
`;
    const cast = '  whole: int64[n] = Cast(ids) {"to":"int64"}\n';
    expect(specsOf(of('int64[n]', ''))[0]).toMatchObject({ range: { low: 0, high: 4 } });
    expect(specsOf(of('float32[n]', cast))[0]).toMatchObject({
      range: { low: 0, high: 4 },
      isWhole: true,
    });
  });

  it('is a length up to the size that the sequences have', () => {
    const [, lengths] = specsOf(
      `graph main(x: float32[t, b], lengths: int64[b]) {
  y: float32[t, b] = ReverseSequence(x, lengths) {"timeAxis":0,"batchAxis":1}
  return y
}
`,
      { t: 9, b: 2 },
    );
    expect(lengths).toMatchObject({ range: { low: 0, high: 9 } });
  });

  it('is every value of a small integer type, and no range of a large one', () => {
    const specs = specsOf(
      'graph main(a: uint8[3], b: int8[3], c: int64[2, 3]) {\n  return a, b, c\n}\n',
    );
    expect(specs.map(({ range }) => range)).toEqual([
      { low: 0, high: 255 },
      { low: -128, high: 127 },
      undefined,
    ]);
  });

  it('tells the channels of images by the operators that use them', () => {
    const conv = (layout: string, shape: string, out: string) => `graph main(x: float32[${shape}]) {
  k: float32[1, 3, 1, 1] = constant [1, 1, 1]
  y: float32[${out}] = Conv(x, k) {"layout":"${layout}","strides":[1,1],"dilations":[1,1],"padding":"explicit","pads":[0,0,0,0],"groups":1}
  return y
}
`;
    expect(specsOf(conv('channelsFirst', 'n, 3, 4, 4', 'n, 1, 4, 4'))[0]!.channels).toBe(1);
    expect(specsOf(conv('channelsLast', 'n, 4, 4, 3', 'n, 4, 4, 1'))[0]!.channels).toBe(3);
  });
});
