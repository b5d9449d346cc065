import {
  convert,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Checkpoint,
  type Structure,
} from '@drover/core';
import { codesOf } from '../testing/failure.js';
import { all, base64, fixture } from '../testing/fixture.js';
import { bundleOf, bytesEntry, someBytes, tableOf } from '../testing/made-bundle.js';
import { tensorflow } from './format.js';

const objectGraph = '_CHECKPOINTABLE_OBJECT_GRAPH';
const utf8 = (text: string) => new TextEncoder().encode(text);

const read = async (folder: string, main: string) => {
  const report = new Report();
  const { source, files, expected } = fixture(folder, main);
  const checkpoint = await openCheckpoint(source, tensorflow, { report });
  return { checkpoint, files, expected, codes: report.diagnostics.map(({ code }) => code) };
};

async function written(checkpoint: Checkpoint, path = 'm.index', shardSize?: number) {
  const [sink, report] = [new MemorySink(), new Report()];
  const options = { shardSize };
  await writeCheckpoint(checkpoint, { to: tensorflow, sink, path, report, options });
  return { files: sink.files, codes: report.diagnostics.map(({ code }) => code) };
}

/** A checkpoint of what changes about another one. */
const changed = (
  { store, ...rest }: Checkpoint,
  {
    keep = () => true,
    metadata = store.metadata,
  }: {
    readonly keep?: (name: string) => boolean;
    readonly metadata?: ReadonlyMap<string, string>;
  } = {},
): Checkpoint => ({
  ...rest,
  store: new TensorStore(
    [...store].filter(({ name }) => keep(name)),
    { metadata },
  ),
});

const contentOf = async ({ store }: Checkpoint) =>
  new Map(
    await Promise.all(
      [...store].map(
        async ({ name, weight, aliases }) =>
          [name, [weight.dtype, weight.shape, base64(await weight.bytes()), aliases]] as const,
      ),
    ),
  );

test.each(all)('%s/%s becomes several weight files, and comes back', async (folder, main) => {
  const { checkpoint } = await read(folder, main);
  const { files } = await written(checkpoint, 'x/m.index', 100);
  const shards = [...files.keys()].slice(0, -1);
  expect(shards.length).toBeGreaterThan(1);
  expect(shards[0]).toBe(`x/m.data-00000-of-${`${shards.length}`.padStart(5, '0')}`);
  expect([...files.keys()].at(-1)).toBe('x/m.index');
  const source = memorySource('x/m.index', files);
  expect(await tensorflow.files!(source)).toEqual(shards.map((path) => path.slice(2)));
  const back = await openCheckpoint(source, tensorflow);
  expect(await contentOf(back)).toEqual(await contentOf(checkpoint));
  expect(back.store.metadata).toEqual(checkpoint.store.metadata);
});

test('what has no form here is named and left out, and codes of quantised types are told', async () => {
  const { checkpoint, codes } = await read('tensorflow-every_dtype', 'model.ckpt.index');
  expect(checkpoint.store.has('variant')).toBe(false);
  expect(codes.toSorted()).toEqual([
    'tensorflow/left-out',
    ...new Array<string>(5).fill('tensorflow/quantised'),
  ]);
});

test('roles: what an optimizer owns, what training keeps, and what it trains', async () => {
  const rolesOf = async (folder: string, main: string) =>
    Object.fromEntries(
      [...(await read(folder, main)).checkpoint.store].map(({ name, role }) => [
        name.replace('/.ATTRIBUTES/VARIABLE_VALUE', ''),
        role,
      ]),
    );
  expect(await rolesOf('tensorflow-training', 'ckpt-1.index')).toMatchObject({
    'model/layer_with_weights-0/kernel': 'parameter',
    'model/layer_with_weights-0/kernel/.OPTIMIZER_SLOT/optimizer/m': 'optimizer',
    'model/layer_with_weights-1/moving_mean': 'buffer',
    'model/layer_with_weights-1/gamma': 'parameter',
    'optimizer/iter': 'optimizer',
    'optimizer/learning_rate': 'optimizer',
    save_counter: 'buffer',
    epoch: 'buffer',
  });
  const keras = await rolesOf('tensorflow-keras_weights', 'weights.index');
  expect(keras).toMatchObject({
    'layer_with_weights-0/cell/kernel': 'parameter',
    'optimizer/_iterations': 'optimizer',
    'optimizer/_variables/1': 'optimizer',
  });
  expect(await rolesOf('tensorflow-partitioned', 'model.ckpt.index')).toEqual({
    'conv/moving_mean': 'buffer',
    'conv/weights': 'parameter',
    'conv/weights/ExponentialMovingAverage': 'buffer',
    'conv/weights/Momentum': 'optimizer',
    'embedding/columns': 'parameter',
    'embedding/columns/Momentum': 'optimizer',
    'embedding/rows': 'parameter',
    'embedding/rows/Momentum': 'optimizer',
    flag: 'buffer',
    global_step: 'optimizer',
    whole: 'buffer',
  });
});

test('a variable goes by its key and by its own name, in the order of the program', async () => {
  const { store } = (await read('tensorflow-keras_weights', 'weights.index')).checkpoint;
  expect([...store].slice(0, 3).map(({ aliases }) => aliases)).toEqual([
    ['dense/kernel'],
    ['dense/bias'],
    ['iteration'],
  ]);
  expect(store.get('dense/kernel')!.name).toBe(
    'layer_with_weights-1/kernel/.ATTRIBUTES/VARIABLE_VALUE',
  );
});

describe('the graph of the objects', () => {
  const keras = async () => (await read('tensorflow-keras_weights', 'weights.index')).checkpoint;

  test('is left out where a tensor that it names is gone, and that is told', async () => {
    const part = changed(await keras(), { keep: (name) => !name.includes('bias') });
    const { files, codes } = await written(part);
    expect(codes).toEqual(['tensorflow/graph-left']);
    const { store } = await openCheckpoint(memorySource('m.index', files), tensorflow);
    expect(store.metadata.size).toBe(0);
    // The names of variables have no other place, and are entries now.
    expect(store.get('dense/kernel')).toBeDefined();
  });

  test.each([
    ['is no base64', '*'],
    ['is no message', 'CgkB'],
    ['refers to an object that is not there', 'CgQKAggB'],
  ])('that %s is refused, and nothing is written', async (_, text) => {
    const sink = new MemorySink();
    const bad = changed(await keras(), { metadata: new Map([[objectGraph, text]]) });
    expect(await codesOf(writeCheckpoint(bad, { to: tensorflow, sink }))).toEqual([
      'tensorflow/object-graph',
    ]);
    expect(sink.files.size).toBe(0);
  });

  test('that is no string is refused', async () => {
    const source = await bundleOf([[objectGraph, bytesEntry(0, 2)]], someBytes);
    expect(await codesOf(openCheckpoint(source, tensorflow))).toEqual(['tensorflow/object-graph']);
  });
});

test('a folder of a training opens by the file that names its latest checkpoint', async () => {
  const { files } = fixture('tensorflow-training', 'ckpt-1.index');
  // As tf.train.Checkpoint.save wrote it beside them.
  const state = 'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n';
  const source = memorySource('checkpoint', new Map([...files, ['checkpoint', utf8(state)]]));
  expect(await tensorflow.detect(source)).toBe('checkpoint');
  expect(await tensorflow.files!(source)).toEqual(['ckpt-1.index', 'ckpt-1.data-00000-of-00001']);
  const { store } = await openCheckpoint(source, tensorflow);
  const direct = (await read('tensorflow-training', 'ckpt-1.index')).checkpoint;
  expect([...store].map(({ name }) => name)).toEqual([...direct.store].map(({ name }) => name));
  const alone = memorySource('checkpoint', new Map([['checkpoint', utf8(state)]]));
  expect(await tensorflow.files!(alone)).toEqual(['ckpt-1.index']);
  expect(await codesOf(openCheckpoint(alone, tensorflow))).toEqual(['core/missing-file']);
});

test('further names of a tensor are entries for the same bytes, and come back', async () => {
  const weight = Weight.of('uint8', [3], Uint8Array.of(1, 2, 3), 'w');
  const store = new TensorStore([{ name: 'w', weight, role: 'parameter', aliases: ['x', 'tied'] }]);
  const { files } = await written({ store, format: 'core', versions: {}, file: '' });
  expect(files.get('m.data-00000-of-00001')).toEqual(Uint8Array.of(1, 2, 3));
  const back = await openCheckpoint(memorySource('m.index', files), tensorflow);
  expect([...back.store].map(({ name, aliases }) => [name, aliases])).toEqual([
    ['tied', ['w', 'x']],
  ]);
});

test('what a checkpoint cannot hold is told at once, and nothing is written', async () => {
  const weight = Weight.of('float8e8m0fnu', [1], new Uint8Array(1));
  const plain = Weight.of('uint8', [1], new Uint8Array(1));
  const of = (name: string, each = plain, ...aliases: string[]) => ({
    name,
    weight: each,
    role: 'parameter' as const,
    aliases,
  });
  const store = new TensorStore([
    of('e8m0', weight),
    of(''),
    of('\0'),
    of('half', plain, '\udfff'),
    of(objectGraph),
  ]);
  const sink = new MemorySink();
  const checkpoint: Checkpoint = { store, format: 'core', versions: {}, file: '' };
  expect(await codesOf(writeCheckpoint(checkpoint, { to: tensorflow, sink }))).toEqual(
    new Array(5).fill('core/not-writable'),
  );
  expect(sink.files.size).toBe(0);
});

test('nesting, values and texts that are left are told', async () => {
  const structure: Structure = {
    kind: 'map',
    entries: [['epoch', { kind: 'value', value: 3 }]],
  };
  const store = new TensorStore([], { structure, metadata: new Map([['format', 'pt']]) });
  const { codes } = await written({ store, format: 'core', versions: {}, file: '' });
  expect(codes).toEqual(['core/values-left', 'tensorflow/metadata-left']);
});

test('weights that were changed, strings too, are written as they are now', async () => {
  const of = (name: string, weight: Weight) => ({
    name,
    weight,
    role: 'parameter' as const,
    aliases: [],
  });
  const words = Weight.from(tensor('string', [2, 2], ['a', 'bb', '', 'dddd']), 'words');
  const numbers = Weight.from(tensor('int4', [1, 3], [-1, 7, -8]), 'numbers');
  const store = new TensorStore([
    of('words', words.reshape([4])),
    of('numbers', numbers.reshape([3])),
  ]);
  const { files } = await written({ store, format: 'core', versions: {}, file: '' });
  const back = await openCheckpoint(memorySource('m.index', files), tensorflow);
  expect((await back.store.get('words')!.weight.tensor()).data).toEqual(['a', 'bb', '', 'dddd']);
  expect([...(await back.store.get('numbers')!.weight.tensor()).data]).toEqual([-1, 7, -8]);
});

test('a checkpoint of the first version of the format is told for what it is', async () => {
  // SavedTensorSlices: its first field is a message, where a header has a number.
  const bytes = await tableOf([['', Uint8Array.of(0x0a, 0)]]);
  const source = memorySource('model.ckpt', new Map([['model.ckpt', bytes]]));
  expect(await tensorflow.detect(source)).toBe('checkpoint');
  expect(await codesOf(openCheckpoint(source, tensorflow))).toEqual(['tensorflow/generation']);
});

test('a conversion within the format keeps every byte', async () => {
  const { source, files } = fixture('tensorflow-training', 'ckpt-1.index');
  const sink = new MemorySink();
  await convert({ from: tensorflow, to: tensorflow, source, sink, path: 'ckpt-1.index' });
  for (const [name, bytes] of sink.files)
    expect([name, base64(bytes)]).toEqual([name, base64(files.get(name)!)]);
});
