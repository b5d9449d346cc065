import { readFileSync } from 'node:fs';
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
  type Source,
  type StoredTensor,
} from '@drover/core';
import { mxnet } from './format.js';

const root = new URL('../../../fixtures/', import.meta.url);
const testdata = new URL('codec/testdata/', import.meta.url);
const sourceOf = (bytes: Uint8Array): Source =>
  memorySource('w.params', new Map([['w.params', bytes]]));
const file = (url: URL) => new Uint8Array(readFileSync(url));

const failing = (...codes: readonly string[]) =>
  expect.objectContaining({
    diagnostics: codes.map((code): unknown => expect.objectContaining({ code })),
  });

/** What is read of a file, and what is told of it. */
async function read(bytes: Uint8Array) {
  const report = new Report();
  const { store } = await openCheckpoint(sourceOf(bytes), mxnet, { report });
  return { store, told: report.diagnostics.map(({ code }) => code) };
}

const stored = (name: string, weight: Weight, ...aliases: string[]): StoredTensor => ({
  name,
  weight,
  role: 'parameter',
  aliases,
});

async function written(path: string, tensors: readonly StoredTensor[]) {
  const [sink, report] = [new MemorySink(), new Report()];
  const checkpoint = { store: new TensorStore(tensors), format: '', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: mxnet, sink, path, report });
  return { bytes: sink.files.get(path)!, told: report.diagnostics.map(({ code }) => code) };
}

describe('a params file as a checkpoint', () => {
  it('has the names of the file, and its auxiliary states are buffers', async () => {
    const { store, told } = await read(
      file(new URL('checkpoints/mxnet-module/net-0000.params', root)),
    );
    expect(new Map([...store].map(({ name, role }) => [name, role]))).toEqual(
      new Map([
        ['arg:net_conv0_weight', 'parameter'],
        ['arg:net_conv0_bias', 'parameter'],
        ['arg:net_batchnorm0_gamma', 'parameter'],
        ['arg:net_batchnorm0_beta', 'parameter'],
        ['aux:net_batchnorm0_running_mean', 'buffer'],
        ['aux:net_batchnorm0_running_var', 'buffer'],
        ['arg:net_dense0_weight', 'parameter'],
        ['arg:net_dense0_bias', 'parameter'],
      ]),
    );
    expect(told).toEqual([]);
  });

  it('is written as MXNet wrote it, byte for byte, and copied as it is', async () => {
    for (const each of ['mxnet-module/net-0000', 'mxnet-gluon/net', 'mxnet-every_dtype/model']) {
      const bytes = file(new URL(`checkpoints/${each}.params`, root));
      for (const rewrite of [false, true]) {
        const sink = new MemorySink();
        await convert({ from: mxnet, to: mxnet, source: sourceOf(bytes), sink, rewrite });
        expect([...sink.files]).toEqual([['model.params', bytes]]);
      }
    }
  });

  it.each(['legacy', 'v1', 'v3', 'dtypes', 'list'])(
    'is read in every version: %s',
    async (name) => {
      const { store } = await read(file(new URL(`${name}.params`, testdata)));
      expect(store.size).toBeGreaterThan(0);
      for (const { weight } of store) await weight.tensor();
    },
  );

  it('tells what is filled up and what is no array', async () => {
    const sparse = await read(file(new URL('sparse.params', testdata)));
    expect(new Set(sparse.told)).toEqual(new Set(['mxnet/sparse']));
    // A V2 record without dimensions, which has no context and no elements, and its name.
    const none = new DataView(new ArrayBuffer(53));
    for (const [at, word] of [0x112, 0, 0, 0, 1, 0, 0xf993fac9, 0, 0, 1, 0, 1, 0].entries())
      none.setUint32(4 * at, word, true);
    none.setUint8(52, 0x77);
    const left = await read(new Uint8Array(none.buffer));
    expect([left.store.size, left.told]).toEqual([0, ['mxnet/array-left']]);
  });

  it('is no model', async () => {
    const bytes = file(new URL('checkpoints/mxnet-gluon/net.params', root));
    await expect(openModel(sourceOf(bytes), mxnet)).rejects.toEqual(failing('core/incapable'));
  });

  it('comes of a model, too, where the path says it', async () => {
    const folder = new URL('models/mxnet-lenet/', root);
    const names = ['model-symbol.json', 'model-0000.params'];
    const files = new Map(names.map((name) => [name, file(new URL(name, folder))]));
    const source = memorySource('model-symbol.json', files);
    const sink = new MemorySink();
    await convert({ from: mxnet, to: mxnet, source, sink, path: 'x.params' });
    const { store } = await read(sink.files.get('x.params')!);
    const whole = await read(files.get('model-0000.params')!);
    expect([...sink.files.keys()]).toEqual(['x.params']);
    for (const { name, weight } of whole.store)
      expect(await store.get(name.replace(/^(arg|aux):/, ''))!.weight.bytes()).toEqual(
        await weight.bytes(),
      );
  });
});

describe('writing', () => {
  const w = Weight.from(tensor('float32', [2], [1, 2]));

  it('tells scalars, and what is tied', async () => {
    const scalar = Weight.from(tensor('int64', [], [7n]));
    const { bytes, told } = await written('a.params', [stored('n', scalar), stored('w', w, 'v')]);
    expect(told).toEqual(['core/untied', 'mxnet/scalar']);
    const { store } = await read(bytes);
    expect([...store].map(({ name, weight }) => [name, weight.shape])).toEqual([
      ['n', [1]],
      ['w', [2]],
      ['v', [2]],
    ]);
  });

  it('names every tensor that MXNet 1.9 does not load', async () => {
    // 8 to 11 are int16, uint16, uint32 and uint64: "Unknown type enum" says mx.nd.load of 1.9.1.
    const lacking = ['int16', 'uint16', 'uint32', 'uint64', 'complex64', 'float8e5m2'] as const;
    const tensors = lacking.map((dtype) => stored(dtype, Weight.of(dtype, [0], new Uint8Array(0))));
    await expect(written('a.params', tensors)).rejects.toEqual(
      failing(...lacking.map(() => 'core/not-writable')),
    );
    await expect(written('a.params', [stored('\ud800', w)])).rejects.toEqual(
      failing('core/not-writable'),
    );
  });

  it('takes no name of a model for a checkpoint, nor one of a checkpoint for a model', async () => {
    await expect(written('a-symbol.json', [stored('w', w)])).rejects.toEqual(
      failing('core/incapable'),
    );
  });
});
