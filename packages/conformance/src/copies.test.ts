import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSymbol } from '@drover/mxnet/codec';
import { convert, MemorySink, openModel, printGraph, type Source } from '@drover/core';
import onnxProto from 'onnx-proto';
import { convertInMemory, openFixture, type WrittenModel } from './conversion-chain.js';
import { modelFixtures, type ModelFixture } from './model-fixture.js';
import { byName, subjectOf, type Subject } from './subjects.js';

const copyOf = async (fixture: ModelFixture): Promise<WrittenModel> => {
  const { format } = subjectOf(fixture.format);
  const opened = await openFixture(fixture);
  return convertInMemory(format, format, opened.source, opened.params).finally(opened.close);
};
const casesOf = (format: string) =>
  modelFixtures(format).map((fixture) => [fixture.id, fixture] as const);
const main = ({ format, files }: WrittenModel) => files.get(format.fileNames.usual)!;

/**
 * An ONNX model as onnx-proto decodes it, external data in the place of its location: a copy
 * gathers small tensors in the graph and aligns the others.
 */
function onnxContent(
  bytes: Uint8Array,
  data: Buffer,
): { readonly model: unknown; readonly external: number } {
  const { ModelProto } = onnxProto.onnx;
  const model = ModelProto.toObject(ModelProto.decode(bytes), { bytes: String, longs: String }) as {
    readonly graph: {
      readonly initializer: {
        name: string;
        rawData?: string;
        dataLocation?: number;
        externalData?: readonly { readonly key: string; readonly value: string }[];
      }[];
    };
  };
  let external = 0;
  for (const tensor of model.graph.initializer) {
    const { name, externalData, dataLocation: _, ...rest } = tensor;
    for (const key of Object.keys(tensor)) delete tensor[key as keyof typeof tensor];
    Object.assign(tensor, rest, { name });
    if (externalData === undefined) continue;
    const { offset, length } = Object.fromEntries(
      externalData.map(({ key, value }) => [key, value]),
    );
    tensor.rawData = data
      .subarray(Number(offset), Number(offset) + Number(length))
      .toString('base64');
    external++;
  }
  return { model, external };
}

/** A JSON document and the bytes of its weights: by another reader than the one under test. */
function tfjsContent(json: string, read: (path: string) => Uint8Array) {
  const { weightsManifest, ...rest } = JSON.parse(json) as {
    weightsManifest: { paths: string[]; weights: unknown }[];
  };
  const bytes = weightsManifest.map(({ paths }) =>
    Buffer.concat(paths.map(read)).toString('base64'),
  );
  return { rest, weights: weightsManifest.map(({ weights }) => weights), bytes };
}

const copied = byName.filter(([, { format }]) => format.copy);

describe.each(copied)('a copy in %s', (id, { format, models }: Subject) => {
  // The content of every model, by other readers than those under test, is compared below.
  const small = models.slice(0, 4).map((fixture) => [fixture.id, fixture] as const);

  it.each(small)('reads as the original, and again: %s', async (_, fixture) => {
    const opened = await openFixture(fixture);
    const copy = await copyOf(fixture);
    const again = await convertInMemory(format, format, copy.source);
    expect(again.files).toEqual(copy.files);
    const [theirs, ours] = [
      await openModel(opened.source, format, { params: opened.params }),
      await openModel(copy.source, format),
    ];
    expect([...ours.graphs].map(([name, graph]) => [name, printGraph(graph)])).toEqual(
      [...theirs.graphs].map(([name, graph]) => [name, printGraph(graph)]),
    );
    for (const { name, weight } of theirs.store) {
      const stored = await ours.store.get(name)!.weight.bytes();
      expect([name, Buffer.compare(stored, await weight.bytes())]).toEqual([name, 0]);
    }
    opened.close();
  });

  it.each(casesOf(id))('can be tried without being written: %s', async (_, fixture) => {
    const opened = await openFixture(fixture);
    const { source, params } = opened;
    const sink = new MemorySink();
    await convert({ from: format, to: format, source, params, sink, dryRun: true });
    expect(sink.files.size).toBe(0);
    opened.close();
  });
});

describe('a model written again in its own format keeps every name, bit and metadatum', () => {
  it.each(casesOf('onnx'))('%s', async (_, fixture) => {
    const copy = await copyOf(fixture);
    const original = readFileSync(fixture.path);
    if (!fixture.id.includes('external'))
      return expect(Buffer.compare(main(copy), original)).toBe(0);
    // Weights beside the graph follow it under its new name: where they lie changes, and nothing
    // else.
    const theirs = onnxContent(original, readFileSync(`${fixture.path}.data`));
    const ours = onnxContent(main(copy), Buffer.from(copy.files.get('model.onnx.data')!));
    expect(theirs.external).toBeGreaterThan(0);
    expect(ours.model).toEqual(theirs.model);
  });

  it.each(casesOf('tfjs'))('%s', async (_, fixture) => {
    const copy = await copyOf(fixture);
    const original = tfjsContent(readFileSync(fixture.path, 'utf8'), (path) =>
      readFileSync(join(dirname(fixture.path), path)),
    );
    expect(
      tfjsContent(new TextDecoder().decode(main(copy)), (path) => copy.files.get(path)!),
    ).toEqual(original);
  });

  it.each(casesOf('mxnet'))('%s', async (_, fixture) => {
    const copy = await copyOf(fixture);
    const opened = await openFixture(fixture);
    const params = await opened.params!.read();
    expect(Buffer.compare(copy.files.get('model-0000.params')!, params)).toBe(0);
    const symbol = async (source: Source) => (await readSymbol(source)).graph;
    expect(await symbol(copy.source)).toEqual(await symbol(opened.source));
    opened.close();
  });
});
