import {
  ByteHandle,
  ConversionError,
  memorySource,
  MemorySink,
  openCheckpoint,
  TensorStore,
  Weight,
  writeCheckpoint,
  type DType,
} from '@drover/core';
import { openHdf5 } from './codec/index.js';
import { keras } from './format.js';

/** What Keras 2 is given of a tensor that no Keras saved. */
async function written(dtype: DType, path: string): Promise<MemorySink> {
  const tensor = { name: 'dense/kernel', role: 'parameter' as const, aliases: [] };
  const weight = Weight.of(dtype, [2], new Uint8Array(8).slice(0, dtype === 'float32' ? 8 : 4));
  const store = new TensorStore([{ ...tensor, weight }]);
  const sink = new MemorySink();
  const checkpoint = { store, format: 'core', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: keras, sink, path, options: { kerasVersion: 2 } });
  return sink;
}

test('the root has variables, without which Keras 2 opens no file', async () => {
  const path = 'm.weights.h5';
  const { files } = await written('float32', path);
  const file = await openHdf5(ByteHandle.of(files.get(path)!), path);
  expect((await file.links('/')).map(({ name }) => name)).toEqual(['layers', 'vars']);
});

test.each(['m.weights.h5', 'm.h5'])(
  'bfloat16, which Keras 2 does not load, is refused: %s',
  async (path) => {
    const error: unknown = await written('bfloat16', path).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(ConversionError);
    expect((error as ConversionError).diagnostics).toEqual([
      expect.objectContaining({
        code: 'core/not-writable',
        origin: { file: path, node: 'dense/kernel' },
      }),
    ]);
  },
);

test('layers of one class are read by their numbers, as Keras gives them in the order of the model', async () => {
  const names = Array.from({ length: 12 }, (_, i) => `dense${i === 0 ? '' : `_${i}`}/kernel`);
  const tensors = names.map((name) => ({
    name,
    weight: Weight.of('uint8', [1], new Uint8Array(1)),
    role: 'parameter' as const,
    aliases: [],
  }));
  const path = 'm.weights.h5';
  const sink = new MemorySink();
  const checkpoint = { store: new TensorStore(tensors), format: 'core', versions: {}, file: '' };
  await writeCheckpoint(checkpoint, { to: keras, sink, path });
  const { store } = await openCheckpoint(memorySource(path, sink.files), keras);
  expect([...store].map(({ name }) => name)).toEqual(names);
});
