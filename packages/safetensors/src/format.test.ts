import {
  ByteHandle,
  convert,
  DroverError,
  MemorySink,
  memorySource,
  openCheckpoint,
  Report,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Checkpoint,
  type ConversionReport,
  type DType,
  type Sink,
  type Source,
  type StoreOptions,
  type Structure,
} from '@drover/core';
import { base64, fileOf, fixture, sourceOf } from '../testing/fixture.js';
import { safetensors } from './format.js';

const index = 'model.safetensors.index.json';
const all = [
  ['safetensors-every_dtype', 'model.safetensors'],
  ['safetensors-tied', 'model.safetensors'],
  ['safetensors-sharded', index],
] as const;

const contentOf = async ({ store }: Checkpoint) => ({
  tensors: await Promise.all(
    [...store].map(async ({ name, weight, aliases }) => ({
      name,
      dtype: weight.dtype,
      shape: weight.shape,
      data: base64(await weight.bytes()),
      aliases,
    })),
  ),
  metadata: store.metadata,
});

const codesOf = async (work: Promise<unknown>): Promise<readonly string[]> => {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error !== undefined && !(error instanceof DroverError)) throw error;
  return error?.diagnostics.map(({ code }) => code) ?? [];
};

async function converted(
  source: Source,
  path: string,
  shardSize?: number,
): Promise<{ readonly sink: MemorySink; readonly report: ConversionReport }> {
  const sink = new MemorySink();
  const [from, to] = [safetensors, safetensors];
  return { sink, report: await convert({ from, to, source, sink, path, options: { shardSize } }) };
}

const storeOf = (
  tensors: readonly (readonly [name: string, bytes: number, ...aliases: string[]])[],
  options: StoreOptions = {},
): Checkpoint => ({
  store: new TensorStore(
    tensors.map(([name, bytes, ...aliases], i) => ({
      name,
      weight: Weight.of('uint8', [bytes], new Uint8Array(bytes).fill(i + 1), name),
      role: 'parameter',
      aliases,
    })),
    options,
  ),
  format: 'core',
  versions: {},
  file: '',
});

async function written(checkpoint: Checkpoint, path = 'm.safetensors', shardSize?: number) {
  const sink = new MemorySink();
  const report = new Report();
  await writeCheckpoint(checkpoint, {
    to: safetensors,
    sink,
    path,
    report,
    options: { shardSize },
  });
  return { files: sink.files, codes: report.diagnostics.map(({ code }) => code) };
}

test.each(all)('%s is a store of what the library reads from it', async (folder, main) => {
  const { source, expected } = fixture(folder, main);
  const report = new Report();
  expect(await safetensors.detect(source)).toBe('checkpoint');
  const checkpoint = await openCheckpoint(source, safetensors, { report });
  const aliases = Object.entries(expected.aliases);
  expect(await contentOf(checkpoint)).toEqual({
    tensors: expected.tensors.map((each) => ({
      ...each,
      aliases: aliases.flatMap(([alias, name]) => (name === each.name ? [alias] : [])),
    })),
    metadata: new Map(Object.entries(expected.metadata)),
  });
  expect(report.diagnostics).toEqual([]);
});

test.each(all)(
  '%s becomes one file and shards, and comes back bit for bit',
  async (folder, main) => {
    const { source, files } = fixture(folder, main);
    const before = await contentOf(await openCheckpoint(source, safetensors));
    const one = await converted(source, 'one.safetensors');
    expect([...one.sink.files.keys()]).toEqual(['one.safetensors']);
    expect(one.report.unmapped).toEqual([]);
    const inOne = memorySource('one.safetensors', one.sink.files);
    const shards = await converted(inOne, `some.safetensors.index.json`, 64);
    expect(shards.sink.files.size).toBeGreaterThan(2);
    const inShards = memorySource('some.safetensors.index.json', shards.sink.files);
    const back = await converted(inShards, 'one.safetensors');
    expect(back.sink.files).toEqual(one.sink.files);
    const after = await contentOf(await openCheckpoint(inShards, safetensors));
    const byName = ({ tensors }: typeof after) =>
      tensors.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(byName(after)).toEqual(byName(before));
    expect(after.metadata).toEqual(before.metadata);
    // What the library wrote in one file is written again as it was.
    if (main === 'model.safetensors')
      expect(base64(one.sink.files.get('one.safetensors')!)).toBe(base64(files.get(main)!));
  },
);

describe('shards', () => {
  const store = () =>
    storeOf(
      [
        ['a', 4],
        ['big', 40],
        ['b', 4],
        ['c', 4, 'd'],
        ['e', 4],
      ],
      { metadata: new Map([['format', 'pt']]) },
    );

  test('are filled up to the size in the order of the store, the index last', async () => {
    const { files } = await written(store(), 'x/m.safetensors', 10);
    const names = [...files.keys()];
    expect(names).toEqual([
      'x/m-00001-of-00004.safetensors',
      'x/m-00002-of-00004.safetensors',
      'x/m-00003-of-00004.safetensors',
      'x/m-00004-of-00004.safetensors',
      'x/m.safetensors.index.json',
    ]);
    expect(JSON.parse(new TextDecoder().decode(files.get(names[4]!)))).toEqual({
      metadata: { total_size: 56 },
      weight_map: {
        a: 'm-00001-of-00004.safetensors',
        b: 'm-00003-of-00004.safetensors',
        big: 'm-00002-of-00004.safetensors',
        c: 'm-00003-of-00004.safetensors',
        e: 'm-00004-of-00004.safetensors',
      },
    });
    const source = memorySource(names[4]!, files);
    expect(await safetensors.files!(source)).toEqual(
      names.slice(0, 4).map((name) => name.slice(2)),
    );
    const back = await openCheckpoint(source, safetensors);
    expect(back.store.get('d')?.name).toBe('c');
    expect([...back.store.metadata]).toEqual([['format', 'pt']]);
  });

  test('are not made where one is enough, unless an index is asked for', async () => {
    expect([...(await written(store(), 'm.safetensors', 1000)).files.keys()]).toEqual([
      'm.safetensors',
    ]);
    expect([...(await written(store(), 'm.safetensors.index.json')).files.keys()]).toEqual([
      'm-00001-of-00001.safetensors',
      'm.safetensors.index.json',
    ]);
  });

  test('are not written beside a file that readers would take instead', async () => {
    const sink = new MemorySink();
    for (const [shardSize, codes] of [
      [undefined, []],
      [10, ['safetensors/other-file']],
    ] as const) {
      const options = { shardSize };
      expect(await codesOf(writeCheckpoint(store(), { to: safetensors, sink, options }))).toEqual(
        codes,
      );
    }
    expect([...sink.files.keys()]).toEqual(['model.safetensors']);
  });

  test('a checkpoint without tensors comes back from an index', async () => {
    const { files } = await written(storeOf([]), 'm.safetensors.index.json');
    const source = memorySource('m.safetensors.index.json', files);
    expect(await safetensors.detect(source)).toBe('checkpoint');
    expect((await openCheckpoint(source, safetensors)).store.size).toBe(0);
  });
});

describe('an index', () => {
  const u8 = (at: number) => ({ dtype: 'U8', shape: [1], data_offsets: [at, at + 1] });
  const shard = (metadata: object, ...names: string[]) =>
    fileOf(
      Object.fromEntries([['__metadata__', metadata], ...names.map((name, i) => [name, u8(i)])]),
      names.length,
    );
  const opened = (
    weightMap: Record<string, string>,
    shards: Record<string, Uint8Array>,
    metadata: object = {},
  ) => {
    const text = JSON.stringify({ metadata, weight_map: weightMap });
    const report = new Report();
    const source = sourceOf({
      'm.safetensors.index.json': new TextEncoder().encode(text),
      ...shards,
    });
    return { report, source, reading: openCheckpoint(source, safetensors, { report }) };
  };
  const [a, b, c] = ['a.safetensors', 'b.safetensors', 'c.safetensors'];

  test('tells every shard and every tensor that is wrong at once', async () => {
    const { reading } = opened(
      { x: a, y: a, z: b, v: c },
      { [a]: shard({}, 'x', 'z'), [b]: shard({}, 'z').slice(0, -1) },
    );
    const error = (await reading.catch((thrown: unknown) => thrown)) as DroverError;
    expect(error.diagnostics.map(({ code, origin }) => [code, origin.file, origin.node])).toEqual([
      ['safetensors/shard', a, 'y'],
      ['core/range', b, 'z'],
      ['core/missing-file', c, undefined],
    ]);
    const twice = opened({ x: a, z: b }, { [a]: shard({}, 'x', 'z'), [b]: shard({}, 'z') });
    expect(await codesOf(twice.reading)).toEqual(['safetensors/shard']);
  });

  test('does not leave the folder', async () => {
    for (const path of [
      '../m.safetensors',
      '/m.safetensors',
      'a/../../m.safetensors',
      'c:m.safetensors',
    ])
      expect(await codesOf(opened({ x: path }, {}).reading)).toEqual(['core/path']);
  });

  test('tells what a shard holds beside it, and metadata that differ; keeps its own', async () => {
    const { report, reading } = opened(
      { x: a, z: b },
      { [a]: shard({ k: '1', only: 'a' }, 'x', 'w'), [b]: shard({ k: '2' }, 'z') },
      { total_size: 3, total_parameters: 7, note: 'n' },
    );
    const { store } = await reading;
    expect([...store].map(({ name }) => name)).toEqual(['x', 'w', 'z']);
    expect(Object.fromEntries(store.metadata)).toEqual({
      k: '1',
      only: 'a',
      total_parameters: '7',
      note: 'n',
    });
    expect(report.diagnostics.map(({ code }) => code)).toEqual([
      'safetensors/unlisted',
      'safetensors/metadata',
    ]);
  });

  test.each([
    ['{"weight_map":{"a":"a.safetensors"', 'core/json'],
    ['{"weight_map":{"a":"a.safetensors","b":1}}', 'core/json'],
    ['{"metadata":[],"weight_map":{"a":"a.safetensors"}}', 'core/json'],
    ['{"weight_map":{"a":"a.safetensors","a":"b.safetensors"}}', 'core/duplicate'],
  ])('%s is told as %s', async (text, code) => {
    const source = sourceOf({ m: new TextEncoder().encode(text) });
    expect(await safetensors.detect(source)).toBe('checkpoint');
    expect(await codesOf(openCheckpoint(source, safetensors))).toEqual([code]);
  });

  test('of another format is not taken for one', async () => {
    const text = '{"metadata":{},"weight_map":{"a":"pytorch_model-00001-of-00002.bin"}}';
    const source = sourceOf({ 'x.index.json': new TextEncoder().encode(text) });
    expect(await safetensors.detect(source)).toBeUndefined();
  });
});

test('every tensor of a type that Drover lacks is named at once', async () => {
  const of = (dtype: string, begin: number) => ({
    dtype,
    shape: [4],
    data_offsets: [begin, begin + 3],
  });
  const bytes = fileOf({ a: of('F6_E2M3', 0), b: of('F6_E3M2', 3), c: of('Q7', 6) }, 9);
  const work = openCheckpoint(sourceOf({ m: bytes }), safetensors);
  const error = (await work.catch((thrown: unknown) => thrown)) as DroverError;
  expect(error.failure).toBe('unsupported');
  expect(error.diagnostics.map(({ code, origin }) => [code, origin.node])).toEqual([
    ['safetensors/dtype', 'a'],
    ['safetensors/dtype', 'b'],
    ['safetensors/dtype', 'c'],
  ]);
});

test('everything that a file cannot hold is told at once, and nothing is written', async () => {
  const of = (name: string, dtype: DType, shape: readonly number[], ...aliases: string[]) => ({
    name,
    weight: Weight.stored(dtype, shape, name, ByteHandle.of(new Uint8Array(8))),
    role: 'parameter' as const,
    aliases,
  });
  const store = new TensorStore(
    [
      of('text', 'string', [1]),
      of('int4', 'int4', [16]),
      {
        ...of('odd', 'uint8', [8], 'format'),
        weight: Weight.of('float4e2m1fn', [3], new Uint8Array(2)),
      },
      of('__metadata__', 'uint8', [8]),
      of('\ud800', 'uint8', [8]),
    ],
    {
      metadata: new Map([
        ['format', 'pt'],
        ['model', 'int4'],
        ['bad', '\udfff'],
      ]),
    },
  );
  const sink = new MemorySink();
  const checkpoint: Checkpoint = { store, format: 'core', versions: {}, file: '' };
  expect(
    (await codesOf(writeCheckpoint(checkpoint, { to: safetensors, sink }))).toSorted(),
  ).toEqual([
    'core/not-writable',
    'core/not-writable',
    'core/not-writable',
    'safetensors/alias',
    'safetensors/alias',
    'safetensors/text',
    'safetensors/text',
    'safetensors/text',
  ]);
  expect(sink.files.size).toBe(0);
});

describe('the further names of a tensor', () => {
  test('stand in the metadata as save_model writes them, and come back', async () => {
    const metadata = new Map([
      ['format', 'pt'],
      ['a', 'c'],
      ['x', 'none'],
    ]);
    const checkpoint = storeOf(
      [
        ['c', 2, 'tied', 'tied.too'],
        ['a', 1],
      ],
      { metadata },
    );
    const { files } = await written(checkpoint);
    const header = new TextDecoder().decode(files.get('m.safetensors')!.slice(8));
    expect(header).toContain(
      '"__metadata__":{"format":"pt","a":"c","x":"none","tied":"c","tied.too":"c"}',
    );
    const { store } = await openCheckpoint(memorySource('m.safetensors', files), safetensors);
    expect(store.get('c')!.aliases).toEqual(['tied', 'tied.too']);
    expect(store.metadata).toEqual(metadata);
  });
});

describe('the nesting of a checkpoint', () => {
  const leaf: Structure = { kind: 'tensor', name: 'c' };
  const map = (...entries: (readonly [string, Structure])[]): Structure => ({
    kind: 'map',
    entries,
  });
  test.each<readonly [string, Structure, readonly string[]]>([
    ['that is flat says nothing', map(['c', leaf]), []],
    ['is told', map(['model', map(['c', leaf])]), ['core/nesting']],
    [
      'with values beside tensors is told',
      map(['c', leaf], ['epoch', { kind: 'value', value: 3 }]),
      ['core/values-left'],
    ],
    [
      'with objects is told',
      { kind: 'list', items: [leaf, { kind: 'opaque', type: 'a.B' }] },
      ['core/values-left'],
    ],
  ])('%s', async (_, structure, codes) => {
    expect((await written(storeOf([['c', 2]], { structure }))).codes).toEqual(codes);
  });

  test('names the values that are left', async () => {
    const values = Array.from({ length: 10 }, (_, i): [string, Structure] => [
      `v${i}`,
      { kind: 'value', value: i },
    ]);
    const report = new Report();
    const checkpoint = storeOf([['c', 2]], { structure: map(['at', map(...values)]) });
    await writeCheckpoint(checkpoint, { to: safetensors, sink: new MemorySink(), report });
    expect(report.diagnostics[0]!.message).toMatch(/10 values .*: \/at\/v0, .*\/at\/v7 and 2 more/);
  });
});

test('a weight that was changed is written as it is now', async () => {
  const weight = Weight.from(tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]), 'w').transpose([1, 0]);
  const store = new TensorStore([{ name: 'w', weight, role: 'parameter', aliases: [] }]);
  const { files } = await written({ store, format: 'core', versions: {}, file: '' });
  const back = await openCheckpoint(memorySource('m.safetensors', files), safetensors);
  expect([...(await back.store.get('w')!.weight.tensor()).data]).toEqual([1, 4, 2, 5, 3, 6]);
});

test('10 GB cost the header to read, and a piece at a time to write', async () => {
  const length = 5 * 2 ** 30;
  const of = (begin: number) => ({
    dtype: 'U8',
    shape: [length],
    data_offsets: [begin, begin + length],
  });
  const head = fileOf({ a: of(0), b: of(length) });
  const piece = new Uint8Array(4 * 2 ** 20);
  const reads: number[] = [];
  const source: Source = {
    ...sourceOf({ 'm.safetensors': head }),
    size: head.length + 2 * length,
    read: async (range) => {
      reads.push(range!.length);
      return range!.offset < head.length
        ? head.slice(range!.offset, range!.offset + range!.length)
        : piece.subarray(0, range!.length);
    },
  };
  const { store } = await openCheckpoint(source, safetensors);
  expect([store.size, reads.reduce((sum, each) => sum + each, 0)]).toEqual([2, head.length + 9]);
  const sizes = new Map<string, number>();
  let longest = 0;
  const sink: Sink = {
    create: async (path) => ({
      write: async (bytes) => {
        longest = Math.max(longest, bytes.length);
        sizes.set(path, (sizes.get(path) ?? 0) + bytes.length);
      },
      close: async () => {},
    }),
    commit: async () => {},
    abort: async () => {},
  };
  const options = { shardSize: 6 * 2 ** 30 };
  await convert({ from: safetensors, to: safetensors, source, sink, options });
  expect(longest).toBeLessThanOrEqual(4 * 2 ** 20);
  expect([...sizes.keys()]).toHaveLength(3);
  expect([...sizes.values()][0]).toBeGreaterThan(length);
});
