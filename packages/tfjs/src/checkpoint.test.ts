import { readdirSync, readFileSync } from 'node:fs';
import {
  convert,
  MemorySink,
  memorySource,
  openCheckpoint,
  openModel,
  Report,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type StoredTensor,
  type Tensor,
} from '@drover/core';
import { tfjs } from './format.js';

const root = new URL('../../../fixtures/checkpoints/', import.meta.url);
const filesOf = (name: string) =>
  new Map(
    readdirSync(new URL(`${name}/`, root)).map((file) => [
      file,
      new Uint8Array(readFileSync(new URL(`${name}/${file}`, root))),
    ]),
  );
const text = (json: unknown) =>
  new TextEncoder().encode(typeof json === 'string' ? json : JSON.stringify(json));
const sourceOf = (json: unknown, files: ReadonlyMap<string, Uint8Array> = new Map()) =>
  memorySource('m', new Map([...files, ['m', text(json)]]));
const failing = (...codes: readonly string[]) =>
  expect.objectContaining({
    diagnostics: codes.map((code): unknown => expect.objectContaining({ code })),
  });
const stored = (name: string, value: Tensor, role: StoredTensor['role'] = 'parameter') => ({
  name,
  weight: Weight.from(value),
  role,
  aliases: [],
});

async function written(tensors: readonly StoredTensor[], options = {}) {
  const [sink, report] = [new MemorySink(), new Report()];
  const checkpoint = { store: new TensorStore(tensors), format: '', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: tfjs, sink, report, options });
  return { files: sink.files, told: report.diagnostics.map(({ code }) => code) };
}

describe('what a file is', () => {
  const manifest = [{ paths: [], weights: [] }];
  const long = [{ paths: [], weights: [{ name: 'x'.repeat(200_000) }] }];
  it.each([
    ['a list of groups', manifest, 'checkpoint'],
    ['a manifest in an object', { weightsManifest: manifest }, 'checkpoint'],
    [
      'layers',
      { format: 'layers-model', modelTopology: {}, weightsManifest: manifest },
      'checkpoint',
    ],
    ['layers of old files', { modelTopology: { class_name: 'Model' } }, 'checkpoint'],
    ['a graph', { format: 'graph-model', modelTopology: {}, weightsManifest: manifest }, 'model'],
    ['a graph of old files', { modelTopology: { node: [] } }, 'model'],
    [
      'a graph far from both ends',
      { weightsManifest: long, modelTopology: { node: [] }, signature: 'x'.repeat(200_000) },
      'model',
    ],
    ['another list', [{ name: 'x', paths: [] }], undefined],
    ['another object', { weights: [] }, undefined],
  ])('%s', async (_, json, content) => {
    expect(await tfjs.detect(sourceOf(json))).toBe(content);
  });
});

describe('reading', () => {
  it('gives the weights of a layers model, which is no model here', async () => {
    const source = memorySource('model.json', filesOf('tfjs-layers'));
    const { store } = await openCheckpoint(source, tfjs);
    expect([...store].map(({ name, role }) => [name, role])).toContainEqual([
      'batch_normalization/moving_mean',
      'parameter',
    ]);
    await expect(openModel(source, tfjs)).rejects.toEqual(failing('tfjs/layers'));
  });

  it('tells the state of an optimizer by its group', async () => {
    const { files } = await written([
      stored('w', tensor('float32', [1], [1])),
      stored('w/m', tensor('float32', [1], [2]), 'optimizer'),
    ]);
    const { store } = await openCheckpoint(memorySource('weights_manifest.json', files), tfjs);
    expect([...store].map(({ role }) => role)).toEqual(['parameter', 'optimizer']);
  });

  const shard = new Map([['a.bin', new Uint8Array(8)]]);
  const weight = (name: string, shape: readonly number[], dtype = 'float32') => ({
    name,
    shape,
    dtype,
  });
  it.each([
    ['no manifest', { modelTopology: {}, format: 'layers-model' }, 'tfjs/model'],
    [
      'more elements than bytes',
      [{ paths: ['a.bin'], weights: [weight('w', [2 ** 40, 2 ** 40])] }],
      'tfjs/weights',
    ],
    ['fewer', [{ paths: ['a.bin'], weights: [weight('w', [1])] }], 'tfjs/weights'],
    [
      'two of a name',
      [{ paths: ['a.bin'], weights: [weight('w', [1]), weight('w', [1])] }],
      'core/duplicate',
    ],
    ['a shard elsewhere', [{ paths: ['../a.bin'], weights: [weight('w', [2])] }], 'core/path'],
    ['a shard that is not there', [{ paths: ['b.bin'], weights: [] }], 'core/missing-file'],
    ['an unknown type', [{ paths: ['a.bin'], weights: [weight('w', [2], 'float8')] }], 'core/json'],
    ['a list cut off', '[{"paths":["a.bin"],"weights":[', 'core/json'],
  ])('refuses %s', async (_, json, code) => {
    await expect(openCheckpoint(sourceOf(json, shard), tfjs)).rejects.toEqual(failing(code));
  });
});

describe('writing', () => {
  it('makes a list of groups with shards, quantised where it is asked for', async () => {
    const w = stored('dense/kernel', tensor('float32', [4], [0, 1, 2, 3]));
    const plain = await written([w], { shardSize: 8 });
    expect([...plain.files.keys()]).toEqual([
      'weights_manifest-group1-shard1of2.bin',
      'weights_manifest-group1-shard2of2.bin',
      'weights_manifest.json',
    ]);
    const json: unknown = JSON.parse(
      new TextDecoder().decode(plain.files.get('weights_manifest.json')),
    );
    expect(json).toEqual([
      {
        paths: ['weights_manifest-group1-shard1of2.bin', 'weights_manifest-group1-shard2of2.bin'],
        weights: [{ name: 'dense/kernel', shape: [4], dtype: 'float32' }],
      },
    ]);
    const { files } = await written([w], { quantize: 'u8' });
    const { store } = await openCheckpoint(memorySource('weights_manifest.json', files), tfjs);
    const { data } = await store.get('dense/kernel')!.weight.tensor();
    Array.from(data as Float64Array).forEach((x, i) => expect(x).toBeCloseTo(i, 6));
  });

  it('stores integers as int32, tells it, and refuses what does not fit', async () => {
    const { files, told } = await written([stored('n', tensor('int64', [2], [-5n, 7n]))]);
    expect(told).toEqual(['tfjs/as-int32']);
    const { store } = await openCheckpoint(memorySource('weights_manifest.json', files), tfjs);
    expect(await store.get('n')!.weight.tensor()).toEqual(tensor('int32', [2], [-5, 7]));
    await expect(written([stored('n', tensor('int64', [1], [2n ** 31n]))])).rejects.toEqual(
      failing('tfjs/narrowing'),
    );
  });

  it('names every tensor of a type that TF.js lacks', async () => {
    const lacking = ['float64', 'float16', 'bfloat16', 'complex128'] as const;
    const tensors = lacking.map((dtype) => ({
      ...stored(dtype, tensor('float32', [0], [])),
      weight: Weight.of(dtype, [0], new Uint8Array(0)),
    }));
    await expect(written(tensors)).rejects.toEqual(
      failing(...lacking.map(() => 'core/not-writable')),
    );
  });

  it('copies weights with all that stands beside them', async () => {
    const files = new Map([['a.bin', Uint8Array.of(1, 2)]]);
    const weights = [
      { name: 'h', shape: [1], dtype: 'float32', quantization: { dtype: 'float16', more: 1 } },
    ];
    const source = sourceOf({ weightsManifest: [{ paths: ['a.bin'], weights }], note: 'n' }, files);
    const sink = new MemorySink();
    await convert({ from: tfjs, to: tfjs, source, sink });
    const paths = ['weights_manifest-group1-shard1of1.bin'];
    expect(JSON.parse(new TextDecoder().decode(sink.files.get('weights_manifest.json')))).toEqual({
      weightsManifest: [{ paths, weights }],
      note: 'n',
    });
    expect(sink.files.get(paths[0]!)).toEqual(files.get('a.bin'));
  });
});
