import {
  decodeTensor,
  encodeTensor,
  memorySource,
  MemorySink,
  openModel,
  toNumbers,
  Weight,
  writeModel,
  type Graph,
  type OpenedModel,
  type Runtime,
  type Tensor,
  type Value,
} from '@drover/core';
import { compareWithExpected, compareWithModel, runBaseline, type Baseline } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { convertInMemory, openFixture } from './conversion-chain.js';
import { modelFixtures } from './model-fixture.js';
import { inProcess } from './sensitivity.js';
import { subjectOf } from './subjects.js';

const { format: onnx } = subjectOf('onnx');
const { format: tfjs } = subjectOf('tfjs');
const fixtureOf = (id: string) => modelFixtures('onnx').find((each) => each.id === id)!;
const fixture = fixtureOf('torch-unet/ts_op11.onnx');
const opened = await openFixture(fixture);
const bert = await openFixture(fixtureOf('torch-bert/ts_op17.onnx'));
afterAll(() => {
  opened.close();
  bert.close();
});
const original: OpenedModel = { format: onnx, source: opened.source };

/** A model as TF.js, its graph as `spoil` leaves it. */
async function converted(
  { source }: Pick<OpenedModel, 'source'>,
  spoil: (graph: Graph) => unknown = () => {},
): Promise<OpenedModel> {
  const model = await openModel(source, onnx);
  await spoil(model.graph);
  const sink = new MemorySink();
  await writeModel(model, { to: tfjs, sink });
  return { format: tfjs, source: memorySource(tfjs.fileNames.usual, sink.files) };
}

describe.each<[string, readonly Runtime[], readonly string[]]>([
  ['the reference evaluator', [], ['reference', 'reference']],
  ['its own runtime', runtimes, ['onnxruntime', 'tfjs']],
])('a network of PyTorch in %s', (_, running, names) => {
  let baseline: Baseline;
  beforeAll(async () => {
    baseline = await runBaseline(original, { runtimes: running, seed: 1 });
  });

  it('agrees with its conversion to TF.js', async () => {
    const { files } = await convertInMemory(onnx, tfjs, opened.source);
    const target = { format: tfjs, source: memorySource(tfjs.fileNames.usual, files) };
    expect(await compareWithModel(baseline, target, { runtimes: running })).toMatchObject({
      verdict: 'agree',
      judgement: { outputs: [{ name: 'mask', agree: true }] },
      seed: 1,
      runs: 3,
      runtimes: names,
      diagnostics: [],
    });
  });

  it('agrees with what PyTorch computed', async () => {
    const [golden] = await fixture.goldens();
    const { inputs, outputs } = golden!;
    const given = await runBaseline(original, { runtimes: running, inputs });
    expect((await compareWithExpected(given, outputs, 'golden')).verdict).toBe('agree');
  });
});

/** Puts other elements in the place of a constant. */
async function change(value: Value, to: (data: Float64Array, tensor: Tensor) => void) {
  const tensor = await value.constant!.tensor();
  const data = Float64Array.from(toNumbers(tensor));
  to(data, tensor);
  const changed = Weight.from({ ...tensor, data }, value.constant!.name);
  Object.defineProperty(value, 'constant', { value: changed });
}

const constants = (graph: Graph) =>
  [...graph.nodes].flatMap((node) =>
    node.inputs.filter((value) => value?.constant?.dtype === 'float32'),
  ) as Value[];

const attributes = (graph: Graph, op: string, by: (attrs: object) => object) => {
  const nodes = [...graph.nodes].filter((node) => node.op.name === op);
  expect(nodes.length).toBeGreaterThan(0);
  for (const node of nodes) node.attrs = { ...node.attrs, ...by(node.attrs) };
};

describe('what used to agree does not', () => {
  it.each<[string, (graph: Graph) => unknown]>([
    [
      'a slope is off by one per cent',
      (graph) =>
        attributes(graph, 'LeakyRelu', (attrs) => ({
          alpha: (attrs as { readonly alpha: number }).alpha * 1.01,
        })),
    ],
    [
      'an epsilon is ten times too large',
      (graph) =>
        attributes(graph, 'InstanceNormalization', (attrs) => ({
          epsilon: (attrs as { readonly epsilon: number }).epsilon * 10,
        })),
    ],
    [
      'all weights went through float16',
      async (graph) => {
        for (const value of constants(graph))
          await change(value, (data, { shape }) => {
            const half = { dtype: 'float16', shape, data } as const;
            data.set(decodeTensor(encodeTensor(half), 'float16', shape).data as Float64Array);
          });
      },
    ],
    [
      'one weight moved by one per cent of the largest',
      (graph) => {
        const kernels = constants(graph).filter(({ rank }) => rank === 4);
        return change(kernels[Math.floor(kernels.length / 2)]!, (data) => {
          data[7]! += 0.01 * Math.max(...data.map(Math.abs));
        });
      },
    ],
  ])('when %s', async (_, spoil) => {
    const baseline = await runBaseline(original, { runtimes: inProcess });
    const { verdict } = await compareWithModel(baseline, await converted(original, spoil), {
      runtimes: inProcess,
    });
    expect(verdict).toMatch(/differ|suspicious/);
  });

  it('when all rows of an embedding but two are zero', async () => {
    const baseline = await runBaseline(
      { format: onnx, source: bert.source },
      { runtimes: inProcess },
    );
    const honest = await compareWithModel(baseline, await converted(bert), { runtimes: inProcess });
    expect(honest.verdict).toBe('agree');
    const spoiled = await converted(bert, (graph) => {
      const lookup = [...graph.nodes].find(
        ({ op, inputs }) => op.name === 'Gather' && inputs[0]!.constant?.shape.length === 2,
      )!;
      return change(lookup.inputs[0]!, (data, { shape }) => data.fill(0, 2 * shape[1]!));
    });
    const { verdict } = await compareWithModel(baseline, spoiled, { runtimes: inProcess });
    expect(verdict).toBe('differ');
  });

  it('when rows that no run reads are not those of the other model', async () => {
    // One row is read three times over: the numbers of the runs say nothing of the others.
    const baseline = await runBaseline(
      { format: onnx, source: bert.source },
      {
        runtimes: inProcess,
        seeds: 1,
        ranges: new Map([
          [(await openModel(bert.source, onnx)).graph.inputs[0]!.name, { low: 3, high: 4 }],
        ]),
      },
    );
    const honest = await compareWithModel(baseline, await converted(bert), { runtimes: inProcess });
    expect([honest.verdict, honest.coverage.tables[0]]).toMatchObject([
      'agree',
      { read: 2, isHeld: true },
    ]);
    const spoiled = await converted(bert, (graph) => {
      const lookup = [...graph.nodes].find(
        ({ op, inputs }) => op.name === 'Gather' && inputs[0]!.constant?.shape.length === 2,
      )!;
      return change(lookup.inputs[0]!, (data, { shape }) => data.fill(0, 5 * shape[1]!));
    });
    const { verdict, judgement, diagnostics } = await compareWithModel(baseline, spoiled, {
      runtimes: inProcess,
    });
    expect([verdict, judgement.verdict]).toEqual(['differ', 'agree']);
    expect(diagnostics.map(({ code }) => code)).toContain('parity/uncovered');
  });
});
