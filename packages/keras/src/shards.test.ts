import {
  memorySource,
  MemorySink,
  openCheckpoint,
  TensorStore,
  Weight,
  writeCheckpoint,
} from '@drover/core';
import { keras } from './format.js';

const checkpoint = {
  store: new TensorStore(
    ['dense/kernel', 'dense/bias', 'large/kernel', 'last/kernel'].map((name, i) => ({
      name,
      weight: Weight.of(
        'uint8',
        [name.startsWith('large') ? 50 : 4],
        new Uint8Array(name.startsWith('large') ? 50 : 4).fill(i),
        name,
      ),
      role: 'parameter' as const,
      aliases: [],
    })),
    { metadata: new Map([['note', 'kept']]) },
  ),
  format: 'core',
  versions: {},
  file: '',
};

test('weights are spread over files of a size, a group over some of them, and come back', async () => {
  const sink = new MemorySink();
  const options = { shardSize: 6 };
  await writeCheckpoint(checkpoint, { to: keras, sink, path: 'x/m.weights.h5', options });
  const shards = ['00000', '00001', '00002', '00003'].map((i) => `m_${i}.weights.h5`);
  expect([...sink.files.keys()]).toEqual([...shards, 'm.weights.json'].map((name) => `x/${name}`));
  const index = JSON.parse(new TextDecoder().decode(sink.files.get('x/m.weights.json'))) as object;
  expect(index).toEqual({
    metadata: { total_size: 62 },
    weight_map: {
      '/layers/dense/vars': shards.slice(0, 2),
      '/layers/large/vars': [shards[2]],
      '/layers/last/vars': [shards[3]],
    },
  });
  const source = memorySource('x/m.weights.json', sink.files);
  expect(await keras.files!(source)).toEqual(shards);
  const { store } = await openCheckpoint(source, keras);
  expect(store.metadata.get('note')).toBe('kept');
  expect([...store].map(({ name }) => name)).toEqual([...checkpoint.store].map(({ name }) => name));
  for (const { name, weight } of checkpoint.store)
    expect(await store.get(name)!.weight.bytes()).toEqual(await weight.bytes());
});

test('what fits into one file is one, unless an index is asked for', async () => {
  for (const [path, files] of [
    ['m.weights.h5', ['m.weights.h5']],
    ['m.weights.json', ['m_00000.weights.h5', 'm.weights.json']],
  ] as const) {
    const sink = new MemorySink();
    await writeCheckpoint(checkpoint, { to: keras, sink, path, options: { shardSize: 1000 } });
    expect([...sink.files.keys()]).toEqual(files);
  }
});
