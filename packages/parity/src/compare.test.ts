import {
  memorySource,
  parseGraph,
  runtimeDiagnostics,
  tensor,
  type Format,
  type OpenedModel,
  type Runtime,
  type Tensor,
} from '@drover/core';
import { referenceModel } from '@drover/core/format';
import { runBaseline } from './baseline.js';
import { compareWithExpected, compareWithModel } from './compare.js';

/** A model that is read from the text of a graph. */
function textModel(name: string, text: string): OpenedModel {
  const bytes = new TextEncoder().encode(text);
  const format = {
    id: 'text',
    title: 'text',
    options: { read: {}, write: {} },
    model: { read: async () => ({ graph: parseGraph(text), file: name }) },
  } as unknown as Format;
  return { format, source: memorySource(name, new Map([[name, bytes]])) };
}

/** Runs texts of graphs, each result changed; `run` may refuse inputs. */
const changing = (change: (value: number) => number, run = (_: Tensor) => {}): Runtime => ({
  id: 'changing',
  formats: ['text'],
  load: async ({ source }) => {
    const graph = parseGraph(new TextDecoder().decode(await source.read()));
    const model = referenceModel(graph, source.name);
    return {
      ...model,
      run: async (inputs) => {
        inputs.forEach(run);
        const results = [...(await model.run(inputs))];
        return new Map(
          results.map(([key, { dtype, shape, data }]) => [
            key,
            tensor(dtype, shape, Array.from(data as Float64Array, change)),
          ]),
        );
      },
    };
  },
});

const affine = (scale: number, input = 'x', output = 'y') => `graph main(${input}: float32[n, 3]) {
  scale: float32[] = constant [${scale}]
  product: float32[n, 3] = Mul(${input}, scale)
  return ${output} = product
}
`;
const one = textModel('one.text', affine(2));
const codes = ({ diagnostics }: { readonly diagnostics: readonly { readonly code: string }[] }) =>
  diagnostics.map(({ code }) => code);

describe('a model with another one', () => {
  it('agrees when both compute the same, whatever the names', async () => {
    const baseline = await runBaseline(one, { runtimes: [], seed: 3 });
    const two = textModel('two.text', affine(2, 'data', 'result'));
    expect(await compareWithModel(baseline, two, { runtimes: [] })).toMatchObject({
      verdict: 'agree',
      judgement: { verdict: 'agree', outputs: [{ name: 'y', metrics: { maxAbs: 0 } }] },
      pairs: [{ first: 'y', second: 'result', by: 'shape' }],
      inputs: [{ name: 'x', dtype: 'float32', shape: [1, 3] }],
      seed: 3,
      runs: 3,
      runtimes: ['reference', 'reference'],
      diagnostics: [{ code: 'parity/paired-otherwise' }, { code: 'parity/paired-otherwise' }],
    });
  });

  it('differs when a weight is one per cent off', async () => {
    const baseline = await runBaseline(one, { runtimes: [] });
    const two = textModel('two.text', affine(2.02));
    const { judgement } = await compareWithModel(baseline, two, { runtimes: [] });
    expect(judgement).toMatchObject({ verdict: 'differ', outputs: [{ agree: false }] });
  });

  it('is refused where it takes other inputs, with all that is wrong', async () => {
    const baseline = await runBaseline(one, { runtimes: [] });
    const other = textModel(
      'other.text',
      'graph main(x: float32[n, 4], z: float32[2]) {\n  return x, z\n}\n',
    );
    await expect(compareWithModel(baseline, other, { runtimes: [] })).rejects.toMatchObject({
      diagnostics: [
        {
          code: 'parity/other-inputs',
          message: expect.stringMatching(/"x" is \[n, 4\].*\[1, 3\]; "z" belongs to no input/),
        },
      ],
    });
  });

  it('is refused where a pair names what is not there', async () => {
    const baseline = await runBaseline(one, { runtimes: [] });
    const map = new Map([
      ['x', 'nope'],
      ['z', 'y'],
    ]);
    await expect(compareWithModel(baseline, one, { runtimes: [], map })).rejects.toMatchObject({
      diagnostics: [
        {
          code: 'parity/unknown-value',
          message: 'No input or output is "nope" of the second model, "z" of the first model.',
        },
      ],
    });
  });

  it('fixes sizes that the first leaves free', async () => {
    const fixed = textModel('fixed.text', affine(2).replaceAll('float32[n, 3]', 'float32[5, 3]'));
    const baseline = await runBaseline(one, { runtimes: [], partner: { model: fixed } });
    const { verdict, inputs } = await compareWithModel(baseline, fixed, { runtimes: [] });
    expect([verdict, inputs[0]!.shape]).toEqual(['agree', [5, 3]]);
  });

  it('runs each in the first runtime of its format', async () => {
    const runtimes = [
      { ...changing((value) => value), id: 'other', formats: ['onnx'] },
      changing((value) => value * 1.01),
    ];
    const baseline = await runBaseline(one, { runtimes: [] });
    const { judgement, runtimes: ran } = await compareWithModel(baseline, one, { runtimes });
    expect([judgement.verdict, ran]).toEqual(['differ', ['reference', 'changing']]);
  });

  it('takes the evaluator where the runtime is not installed, and says so', async () => {
    const absent: Runtime = {
      id: 'absent',
      formats: ['text'],
      load: async () => {
        throw runtimeDiagnostics.error('not-installed', {
          message: 'It is not there.',
          origin: { file: '' },
        });
      },
    };
    const baseline = await runBaseline(one, { runtimes: [absent] });
    expect([baseline.runtime, codes(baseline)]).toEqual(['reference', ['parity/runtime-absent']]);
  });

  it('holds runtimes to each other where the evaluator knows no truth, and says so', async () => {
    const foreign = textModel(
      'foreign.text',
      `graph main(x: float32[2]) {
  y: float32[2] = Foreign(x) {"format":"f","type":"T","reason":"it is another's","cause":"operator","attributes":{},"types":[{"dtype":"float32","shape":[2]}]}
  return y
}
`,
    );
    const own: Runtime = {
      id: 'own',
      formats: ['text'],
      load: async () => ({
        inputs: [{ name: 'x', dtype: 'float32', shape: [2] }],
        outputs: [{ name: 'y', dtype: 'float32', shape: [2] }],
        run: async (inputs) => new Map([['y', inputs.get('x')!]]),
        dispose: async () => {},
      }),
    };
    const baseline = await runBaseline(foreign, { runtimes: [own] });
    expect(await baseline.runs[0]!.oracle()).toBeUndefined();
    expect(codes(baseline)).toEqual(['parity/no-oracle']);
    const { judgement } = await compareWithModel(baseline, foreign, { runtimes: [own] });
    expect(judgement.verdict).toBe('agree');
  });
});

describe('inputs', () => {
  it('are made in another size where the first does not run', async () => {
    const picky = changing(
      (value) => value,
      ({ shape }) => {
        if (shape[1]! % 32 === 0) return;
        throw runtimeDiagnostics.error('failed', { message: 'Odd.', origin: { file: '' } });
      },
    );
    const open = textModel('open.text', 'graph main(x: float32[n, w]) {\n  return x\n}\n');
    const { runs, runtime } = await runBaseline(open, { runtimes: [picky] });
    expect(runs.map(({ inputs }) => inputs.get('x')!.shape)).toEqual([
      [2, 64],
      [1, 64],
      [2, 64],
    ]);
    expect(runtime).toBe('changing');
  });

  it('are run by the evaluator where a runtime takes no size, and it is said so', async () => {
    const never = changing(
      (value) => value,
      () => {
        throw runtimeDiagnostics.error('failed', { message: 'Never.', origin: { file: '' } });
      },
    );
    const baseline = await runBaseline(one, { runtimes: [never] });
    expect([baseline.runtime, codes(baseline)]).toEqual(['reference', ['parity/runtime-failed']]);
    const target = await compareWithModel(await runBaseline(one, { runtimes: [] }), one, {
      runtimes: [never],
    });
    expect([target.verdict, target.runtimes, codes(target)]).toEqual([
      'agree',
      ['reference', 'reference'],
      ['parity/runtime-failed'],
    ]);
  });

  it('cannot be made where no size that is tried runs at all', async () => {
    const text = `graph main(x: float32[n, w]) {
  bound: int64[1] = constant [1000000]
  y: float32[n, 1] = Gather(x, bound) {"axis":1}
  return y
}
`;
    await expect(runBaseline(textModel('far.text', text), { runtimes: [] })).rejects.toThrow(
      'parity/no-inputs: far.text leaves sizes of its inputs open and does not run with those that were tried:',
    );
  });

  it('take the sizes and ranges that they are told', async () => {
    const { runs } = await runBaseline(one, {
      runtimes: [],
      seeds: 2,
      sizes: new Map([['n', 50]]),
      ranges: new Map([['x', { low: 10, high: 12 }]]),
    });
    const all = runs.flatMap(({ inputs }) => [...(inputs.get('x')!.data as Float64Array)]);
    expect([runs.length, all.length]).toEqual([2, 300]);
    expect([Math.min(...all) >= 10, Math.max(...all) <= 12, new Set(all).size > 200]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('are given, and matched by name', async () => {
    const inputs = new Map([
      ['in_x', tensor('float32', [1, 3], [1, 2, 3])],
      ['spare', tensor('bool', [], [true])],
    ]);
    const baseline = await runBaseline(one, { runtimes: [], inputs });
    expect(baseline.seed).toBeNull();
    expect([...(baseline.runs[0]!.outputs.get('y')!.data as Float64Array)]).toEqual([2, 4, 6]);
    expect(codes(baseline)).toEqual(['parity/array-unused']);
  });
});

describe('a model with expected outputs', () => {
  const inputs = new Map([['x', tensor('float32', [1, 3], [1, 2, 3])]]);

  it('agrees with those that are right, and with no others', async () => {
    const baseline = await runBaseline(one, { runtimes: [], inputs });
    const judged = async (...values: number[]) => {
      const expected = new Map([['y', tensor('float32', [1, 3], values)]]);
      return (await compareWithExpected(baseline, expected, 'y.npz')).verdict;
    };
    expect([await judged(2, 4, 6), await judged(2, 4, 6.1)]).toEqual(['agree', 'differ']);
    expect(await judged(2, 4, 6.00001)).toBe('differ');
  });

  it('needs one for each', async () => {
    const baseline = await runBaseline(one, { runtimes: [], inputs });
    await expect(compareWithExpected(baseline, new Map(), 'y.npz')).rejects.toThrow(
      'parity/no-expected: y.npz holds nothing for "y".',
    );
  });
});
