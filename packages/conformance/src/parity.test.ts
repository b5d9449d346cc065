import { memorySource, type OpenedModel, type Runtime } from '@drover/core';
import { onnx } from '@drover/onnx';
import { compareWithExpected, compareWithModel, runBaseline, type Baseline } from '@drover/parity';
import { runtimes } from '@drover/runtimes';
import { tfjs } from '@drover/tfjs';
import { convertInMemory, openFixture } from './conversion-chain.js';
import { modelFixtures } from './model-fixture.js';

const fixture = modelFixtures('onnx').find(({ id }) => id === 'torch-unet/ts_op11.onnx')!;
const opened = await openFixture(fixture);
afterAll(() => opened.close());
const original: OpenedModel = { format: onnx, source: opened.source };

/** The fixture as TF.js, its weights as `spoil` leaves them. */
async function converted(spoil = (_: Uint8Array) => {}): Promise<OpenedModel> {
  const { files } = await convertInMemory(onnx, tfjs, opened.source);
  const copies = new Map([...files].map(([name, bytes]) => [name, Uint8Array.from(bytes)]));
  for (const [name, bytes] of copies) if (name.endsWith('.bin')) spoil(bytes);
  return { format: tfjs, source: memorySource(tfjs.fileNames.usual, copies) };
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
    const comparison = await compareWithModel(baseline, await converted(), { runtimes: running });
    expect(comparison).toMatchObject({
      judgement: { verdict: 'agree', outputs: [{ name: 'mask', agree: true }] },
      seed: 1,
      runtimes: names,
      diagnostics: [],
    });
  });

  it('differs from one whose weights are damaged', async () => {
    // A hundred weights in the middle of the file, which are those of a convolution.
    const damaged = await converted((bytes) => {
      const middle = 4 * Math.floor(bytes.length / 8);
      bytes.fill(0, middle, middle + 400);
    });
    const { judgement } = await compareWithModel(baseline, damaged, { runtimes: running });
    expect(judgement.verdict).toBe('differ');
  });

  it('agrees with what PyTorch computed', async () => {
    const [golden] = await fixture.goldens();
    const { inputs, outputs } = golden!;
    const given = await runBaseline(original, { runtimes: running, inputs });
    expect(compareWithExpected(given, outputs, 'golden').judgement.verdict).toBe('agree');
  });
});
