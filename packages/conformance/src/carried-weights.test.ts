import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  ConversionError,
  memorySource,
  MemorySink,
  openCheckpoint,
  openModel,
  Report,
  TensorStore,
  Weight,
  writeModel,
  type Checkpoint,
  type Format,
} from '@drover/core';
import { openFile } from '@drover/node';
import { pytorch } from '@drover/pytorch';
import { applyToModel, extractWeights } from '@drover/weights';
import { convertInMemory, declaredBy, openFixture, worstDistance } from './conversion-chain.js';
import { readGolden, type ModelFixture } from './model-fixture.js';
import { subjectOf, writers } from './subjects.js';

const folder = join(import.meta.dirname, '../../../fixtures/trained');

/** A network whose training went on after it was exported. */
interface Trained {
  readonly name: string;
  readonly checkpoint: () => Promise<Checkpoint & { close(): void }>;
  readonly golden: string;
}

const trained = readdirSync(folder).map((name): Trained => {
  const { trained: files } = JSON.parse(
    readFileSync(join(folder, name, 'fixture.json'), 'utf8'),
  ) as { readonly trained: readonly { readonly file: string; readonly golden: string }[] };
  return {
    name,
    checkpoint: async () => {
      const source = await openFile(join(folder, name, files[0]!.file));
      return { ...(await openCheckpoint(source, pytorch)), close: () => source.close() };
    },
    golden: join(folder, name, files[0]!.golden),
  };
});

const onnx = subjectOf('onnx');
const cases = trained.flatMap((each) =>
  onnx.models
    .filter(({ id }) => id.startsWith(`${each.name}/`))
    .flatMap((model) =>
      writers.map(
        ([to, { format, runtime }]) => [model.id, to, { each, model, format, runtime }] as const,
      ),
    ),
);

/** Files in which the exporter computed batch normalisations into convolutions. */
const isFolded = ({ id }: ModelFixture) =>
  /^torch-(mobilenet_v2|unet)\/|^torch-resnet\/ts_op17/.test(id);

/** Files with an epsilon of their own in what is folded, which no state dict tells: the old one. */
const isOldNeeded = ({ id }: ModelFixture) => id === 'torch-resnet/ts_op17.onnx';

/** The state dict that was exported, from an export of the network in which nothing is folded. */
async function oldStateDict(like: Checkpoint): Promise<Checkpoint> {
  const unfolded = onnx.models.find(({ id }) => id === 'torch-resnet/dynamo_op18_bn.onnx')!;
  const opened = await openFixture(unfolded);
  try {
    const old = await extractWeights(await openModel(opened.source, onnx.format), { like });
    return await rewritten(old, (weight) => weight.bytes());
  } finally {
    opened.close();
  }
}

/** Files that hold less of a table than the network: the exporter cut the rows that it looks up. */
const isCut = ({ id }: ModelFixture) => /^torch-bert\/(ts_op13|dynamo_op18_external)/.test(id);

/** A checkpoint with other bytes of the same number. */
async function rewritten(
  { store, ...rest }: Checkpoint,
  bytesOf: (weight: Weight) => Promise<Uint8Array>,
): Promise<Checkpoint> {
  const tensors = [...store].map(async (tensor) => {
    const { dtype, shape } = tensor.weight;
    return {
      ...tensor,
      weight: Weight.of(dtype, shape, await bytesOf(tensor.weight), tensor.name),
    };
  });
  return { ...rest, store: new TensorStore(await Promise.all(tensors), store) };
}

/** The names and layouts of a checkpoint, and none of its values. */
const emptied = (checkpoint: Checkpoint) =>
  rewritten(checkpoint, async ({ handle }) => new Uint8Array(handle.length));

async function filled(model: ModelFixture, to: Format, checkpoint: Checkpoint, report: Report) {
  const opened = await openFixture(model);
  try {
    const old = await convertInMemory(onnx.format, to, opened.source, opened.params);
    const onto = await openModel(old.source, to);
    const fresh = await applyToModel(onto, {
      weights: checkpoint,
      like: isOldNeeded(model) ? await oldStateDict(await emptied(checkpoint)) : undefined,
      report,
    });
    const sink = new MemorySink();
    await writeModel(fresh, { to, sink });
    const source = memorySource(to.fileNames.usual, sink.files);
    return {
      format: to,
      files: sink.files,
      source,
      declared: declaredBy(await openModel(opened.source, onnx.format, { params: opened.params })),
    };
  } finally {
    opened.close();
  }
}

it('has trained networks', () => expect(cases.length).toBeGreaterThan(40));

describe.each(cases)('%s, converted to %s', (_, __, { each, model, format, runtime }) => {
  it('computes what PyTorch does with the weights of a later state dict, and gives it back', async () => {
    const checkpoint = await each.checkpoint();
    try {
      const report = new Report();
      const fresh = await filled(model, format, checkpoint, report);
      expect(
        await worstDistance(runtime, fresh, [await readGolden(each.golden)], fresh.declared),
      ).toBeLessThan(1e-5);
      const extract = async () =>
        extractWeights(await openModel(fresh.source, format), { like: await emptied(checkpoint) });
      if (isFolded(model) || isCut(model)) {
        await expect(extract()).rejects.toThrow(ConversionError);
        return;
      }
      const { store } = await extract();
      for (const { name, weight } of checkpoint.store)
        if (!name.endsWith('num_batches_tracked'))
          expect([
            name,
            Buffer.compare(await store.get(name)!.weight.bytes(), await weight.bytes()),
          ]).toEqual([name, 0]);
    } finally {
      checkpoint.close();
    }
  });
});
