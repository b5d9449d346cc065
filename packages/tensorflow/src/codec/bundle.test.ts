import {
  ByteHandle,
  DroverError,
  MemorySink,
  memorySource,
  Weight,
  type Source,
} from '@drover/core';
import { all, base64, fixture } from '../../testing/fixture.js';
import { bundleOf, bytesEntry, tableOf } from '../../testing/made-bundle.js';
import { latestPrefix } from './checkpoint-state.js';
import { decodeBundle } from './decode-bundle.js';
import { encodeBundle, type WritableTensor } from './encode-bundle.js';
import { elementTypeOf } from './element-type.js';
import type { BundleEntry, BundleHeader, ObjectGraph } from './messages.js';
import { maskedCrcOf } from './masked-crc.js';
import { decodeObjectGraph } from './object-graph.js';
import { sliceKey, type SliceExtent } from './slice-key.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

async function failureOf(work: Promise<unknown>): Promise<DroverError> {
  const error = await work.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DroverError);
  return error as DroverError;
}
const codesOf = async (work: Promise<unknown>) =>
  (await failureOf(work)).diagnostics.map(({ code }) => code);

test.each(all)('%s/%s holds what TensorFlow reads from it', async (folder, main) => {
  const { source, expected } = fixture(folder, main);
  const { tensors } = await decodeBundle(source);
  const found = new Map(
    await Promise.all(
      tensors.map(
        async ({ name, dataType, shape, bytes }) =>
          [
            name,
            { name, dtype: elementTypeOf(dataType), shape, data: base64(await bytes.read()) },
          ] as const,
      ),
    ),
  );
  for (const each of expected.tensors) expect(found.get(each.name)).toEqual(each);
  const others = [...found.keys()].filter(
    (name) => !expected.tensors.some((each) => each.name === name),
  );
  expect(others).toEqual(
    ['variant', ...Object.keys(expected.metadata)].filter((name) => found.has(name)),
  );
});

// Without what the format does not write: variants, quantised types, slices, the other byte order.
test.each([
  ['tensorflow-training', 'ckpt-1.index'],
  ['tensorflow-keras_weights', 'weights.index'],
])('%s/%s is written again byte for byte', async (folder, main) => {
  const { source, files } = fixture(folder, main);
  const { tensors } = await decodeBundle(source);
  const sink = new MemorySink();
  const given = tensors.map(({ dataType, ...tensor }): WritableTensor => ({
    ...tensor,
    dtype: elementTypeOf(dataType)!,
  }));
  await encodeBundle(sink, main.slice(0, -'.index'.length), given);
  await sink.commit();
  expect(sink.files.size).toBe(2);
  for (const [name, bytes] of sink.files)
    expect([name, base64(bytes)]).toEqual([name, base64(files.get(name)!)]);
});

test('reads the index and the lengths of strings, and a tensor when it is asked for', async () => {
  const { files } = fixture('tensorflow-every_dtype');
  const reads: [string, number, number][] = [];
  const watched = (source: Source): Source => ({
    ...source,
    read: (range) => {
      reads.push([source.name, range?.offset ?? 0, range?.length ?? source.size]);
      return source.read(range);
    },
    sibling: async (path) => watched(await source.sibling(path)),
  });
  const { tensors } = await decodeBundle(watched(memorySource('model.ckpt.index', files)));
  const strings = tensors.filter(({ dataType }) => dataType === 'DT_STRING');
  const ofData = () => reads.filter(([name]) => name.includes('.data-'));
  expect(ofData()).toHaveLength(strings.length);
  const scalar = tensors.find(({ name }) => name === 'scalar')!;
  expect(new Float32Array((await scalar.bytes.read()).slice().buffer)[0]).toBe(2.5);
  expect(ofData().at(-1)![2]).toBe(4);
});

test('keys of slices are those of ordered_code.cc', () => {
  const hex = (name: string, ...extents: SliceExtent[]) =>
    Buffer.from(sliceKey(name, extents)).toString('hex');
  const whole = { start: 0, length: undefined };
  // From an index and a checkpoint of version 1 that TensorFlow 2.15 wrote.
  expect(hex('part', { start: 0, length: 4 }, { start: 0, length: 4 })).toBe(
    '00' + '70617274' + '0001' + '0102' + '80848084',
  );
  expect(hex('conv/weights', whole, whole)).toBe(
    '00636f6e762f77656967687473' + '0001' + '0102' + '807f807f',
  );
  // By its rules: 64 takes two bytes and 2^13 three, NUL and 0xff are escaped.
  expect(hex('\0', { start: 64, length: 8191 })).toBe('00' + '00ff0001' + '0101' + 'c040' + 'dfff');
  expect(hex('', { start: 8192, length: 2 ** 40 })).toBe(
    '00' + '0001' + '0101' + 'e02000' + 'fd0000000000',
  );
});

const data = Uint8Array.from({ length: 40 }, (_, i) => i * 7);
const one = (offset: number, size: number, more: BundleEntry = {}) =>
  bytesEntry(data, offset, size, more);
const read = async (
  entries: readonly (readonly [string | Uint8Array, BundleEntry])[],
  header?: BundleHeader,
) => {
  const { tensors } = await decodeBundle(await bundleOf(entries, data, header));
  for (const { bytes } of tensors) await bytes.read();
  return tensors;
};

const contradictions: readonly (readonly [string, string, BundleEntry, BundleHeader?])[] = [
  ['no weight files', 'tensorflow/bundle', one(0, 4), { version: { producer: 1 } }],
  ['-1 weight files', 'tensorflow/bundle', one(0, 4), { numShards: -1 }],
  ['a billion weight files', 'core/limit', one(0, 4), { numShards: 1e9 }],
  ['weight files that are missing', 'core/missing-file', one(0, 4), { numShards: 2 }],
  [
    'an order of bytes that does not exist',
    'tensorflow/bundle',
    one(0, 4),
    { numShards: 1, endianness: 2 },
  ],
  [
    'a version to come',
    'tensorflow/generation',
    one(0, 4),
    { numShards: 1, version: { minConsumer: 2 } },
  ],
  [
    'a version that refuses this one',
    'tensorflow/generation',
    one(0, 4),
    { numShards: 1, version: { badConsumers: [1] } },
  ],
  ['a weight file beyond their count', 'tensorflow/bundle', one(0, 4, { shardId: 1 })],
  ['a weight file before the first', 'tensorflow/bundle', one(0, 4, { shardId: -1 })],
  ['an offset beyond the file', 'core/range', one(37, 4)],
  ['an offset of 2^62', 'tensorflow/bundle', one(0, 4, { offset: 2n ** 62n })],
  ['an offset before the file', 'tensorflow/bundle', one(0, 4, { offset: -1 })],
  ['a negative size', 'tensorflow/bundle', one(0, 4, { size: -4 })],
  [
    'a size beyond the file',
    'core/range',
    one(0, 4, { size: 2 ** 40, shape: { dim: [{ size: 2 ** 40 }] } }),
  ],
  [
    'a size that the shape does not ask for',
    'tensorflow/bundle',
    one(0, 4, { shape: { dim: [{ size: 5 }] } }),
  ],
  ['a size that the type does not ask for', 'tensorflow/bundle', one(0, 4, { dtype: 1 })],
  [
    'a negative dimension',
    'tensorflow/bundle',
    one(0, 4, { shape: { dim: [{ size: -2 }, { size: -2 }] } }),
  ],
  [
    'sizes whose product wraps',
    'tensorflow/bundle',
    one(0, 4, { shape: { dim: [{ size: 2 ** 40 }, { size: 2 ** 40 }] } }),
  ],
  [
    '65 dimensions',
    'core/limit',
    one(0, 1, { shape: { dim: new Array(65).fill({ size: 1 }) as [] } }),
  ],
  ['no shape', 'tensorflow/bundle', one(0, 4, { shape: { unknownRank: true } })],
  ['the type 0', 'tensorflow/bundle', one(0, 4, { dtype: 0 })],
  ['the type 99', 'tensorflow/bundle', one(0, 4, { dtype: 99 })],
  ['a negative type', 'tensorflow/bundle', one(0, 4, { dtype: -3 })],
  ['another CRC', 'tensorflow/checksum', one(0, 4, { crc32c: 1 })],
  ['no CRC', 'tensorflow/checksum', one(0, 4, { crc32c: 0 })],
  [
    'more strings than bytes',
    'tensorflow/bundle',
    one(0, 9, { dtype: 7, shape: { dim: [{ size: 3e7 }] } }),
  ],
  [
    'strings whose lengths have another CRC',
    'tensorflow/checksum',
    one(1, 9, { dtype: 7, shape: { dim: [{ size: 2 }] } }),
  ],
  [
    'a slice that is not there',
    'tensorflow/slices',
    { dtype: 4, shape: { dim: [{ size: 4 }] }, slices: [{ extent: [{}] }] },
  ],
  [
    'a slice of another rank',
    'tensorflow/slices',
    { dtype: 4, shape: { dim: [{ size: 4 }] }, slices: [{ extent: [] }] },
  ],
  [
    'a slice that leaves its tensor',
    'tensorflow/slices',
    { dtype: 4, shape: { dim: [{ size: 4 }] }, slices: [{ extent: [{ start: 3, length: 2 }] }] },
  ],
  [
    'a slice that begins before it',
    'tensorflow/slices',
    { dtype: 4, shape: { dim: [{ size: 4 }] }, slices: [{ extent: [{ start: -1, length: 2 }] }] },
  ],
  [
    'a slice of negative length',
    'tensorflow/slices',
    { dtype: 4, shape: { dim: [{ size: 4 }] }, slices: [{ extent: [{ start: 2, length: -2 }] }] },
  ],
];

// A fourth argument that may be absent would be taken for the callback of jest.
const cases = contradictions.map(([what, code, ...entry]) => [what, code, entry] as const);

test.each(cases)('%s is told as %s', async (_, code, [entry, header]) => {
  expect(await codesOf(read([['w', entry]], header))).toEqual([code]);
});

test('the lengths of strings that are damaged are told', async () => {
  const { files } = fixture('tensorflow-every_dtype');
  const source = memorySource('model.ckpt.index', files);
  const { tensors } = await decodeBundle(source);
  const { offset } = tensors.find(({ name }) => name === 'string')!.bytes.origin;
  const shard = 'model.ckpt.data-00000-of-00001';
  const spoilt = async (at: number) => {
    const bytes = files.get(shard)!.slice();
    bytes[at]! ^= 1;
    return memorySource('model.ckpt.index', new Map([...files, [shard, bytes]]));
  };
  // The second length, the CRC of the lengths, and a byte of the texts, when these are read.
  expect(await codesOf(decodeBundle(await spoilt(offset! + 1)))).toEqual(['tensorflow/checksum']);
  expect(await codesOf(decodeBundle(await spoilt(offset! + 8)))).toEqual(['tensorflow/checksum']);
  const { tensors: opened } = await decodeBundle(await spoilt(offset! + 12));
  const strings = opened.find(({ name }) => name === 'string')!;
  expect(await codesOf(strings.bytes.read())).toEqual(['tensorflow/checksum']);
});

test('strings that are more or fewer bytes than their lengths say', async () => {
  const lengths = new Uint8Array(Uint32Array.of(2).buffer);
  const check = new Uint8Array(Uint32Array.of(maskedCrcOf(lengths)).buffer);
  const strings = async (...text: number[]) => {
    const bytes = Uint8Array.of(2, ...check, ...text);
    const sum = maskedCrcOf(lengths, check, Uint8Array.from(text));
    const entry = { dtype: 7, shape: { dim: [{ size: 1 }] }, size: bytes.length, crc32c: sum };
    const { tensors } = await decodeBundle(await bundleOf([['w', entry]], bytes));
    return tensors[0]!.bytes.read();
  };
  expect([...(await strings(97, 98))]).toEqual([2, 0, 0, 0, 97, 98]);
  expect(await codesOf(strings(97, 98, 99))).toEqual(['tensorflow/bundle']);
  expect(await codesOf(strings(97))).toEqual(['tensorflow/bundle']);
});

describe('slices', () => {
  type Cut = readonly (readonly [start: number, length: number])[];
  /** A tensor of bytes with slices, one after the other in the data. */
  const sliced = (shape: readonly number[], ...cuts: readonly Cut[]) => {
    const extents = (cut: Cut) => cut.map(([start, length]) => ({ start, length }));
    let at = 0;
    const parts = cuts.map((cut) => {
      const size = cut.reduce((product, [, length]) => product * length, 1);
      at += size;
      const dim = cut.map(([, length]) => ({ size: length }));
      return [sliceKey('w', extents(cut)), one(at - size, size, { shape: { dim } })] as const;
    });
    const slices = cuts.map((cut) => ({ extent: extents(cut) }));
    const whole: BundleEntry = {
      dtype: 4,
      shape: { dim: shape.map((size) => ({ size })) },
      slices,
    };
    return [['w', whole] as const, ...parts];
  };

  test('in both directions are put together', async () => {
    const [w] = await read(
      sliced(
        [3, 5],
        [
          [0, 2],
          [0, 2],
        ],
        [
          [0, 2],
          [2, 3],
        ],
        [
          [2, 1],
          [0, 4],
        ],
        [
          [2, 1],
          [4, 1],
        ],
      ),
    );
    // Row by row, from where each slice has it.
    const places = [0, 1, 4, 5, 6, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14];
    expect([...(await w!.bytes.read())]).toEqual(places.map((place) => data[place]));
  });

  test('along the first axis stay where they are', async () => {
    const [w] = await read(
      sliced(
        [5, 2],
        [
          [3, 2],
          [0, 2],
        ],
        [
          [0, 3],
          [0, 2],
        ],
      ),
    );
    const [second, first] = [data.slice(0, 4), data.slice(4, 10)];
    expect([...(await w!.bytes.read())]).toEqual([...first, ...second]);
    expect(w!.bytes.slice(0, 6).origin.offset).toBe(4);
  });

  test.each<[string, readonly number[], readonly Cut[]]>([
    ['that overlap', [5], [[[0, 3]], [[2, 3]]]],
    ['that leave a gap', [5], [[[0, 2]], [[3, 2]]]],
    ['that end early', [5], [[[0, 2]], [[2, 2]]]],
    ['that begin late', [5], [[[1, 4]]]],
    [
      'that overlap in one direction',
      [2, 4],
      [
        [
          [0, 2],
          [0, 3],
        ],
        [
          [0, 2],
          [2, 2],
        ],
      ],
    ],
    [
      'that are no grid',
      [2, 2],
      [
        [
          [0, 1],
          [0, 2],
        ],
        [
          [1, 1],
          [0, 1],
        ],
      ],
    ],
  ])('%s are refused', async (_, shape, cuts) => {
    expect(await codesOf(read(sliced(shape, ...cuts)))).toEqual(['tensorflow/slices']);
  });

  test('of another type, or of no tensor, are refused', async () => {
    const [whole, [key, part], ...others] = sliced([5], [[0, 2]], [[2, 3]]) as [
      readonly [string, BundleEntry],
      readonly [Uint8Array, BundleEntry],
      readonly [Uint8Array, BundleEntry],
    ];
    expect(await codesOf(read([whole, [key, { ...part, dtype: 6 }], ...others]))).toEqual([
      'tensorflow/slices',
    ]);
    expect(await codesOf(read([['v', one(20, 3)], [key, part], ...others]))).toEqual([
      'tensorflow/slices',
    ]);
  });
});

test('bytes that two tensors share in part are refused; the same bytes are one tensor', async () => {
  expect(
    await codesOf(
      read([
        ['a', one(0, 4)],
        ['b', one(3, 4)],
      ]),
    ),
  ).toEqual(['tensorflow/bundle']);
  expect(
    await codesOf(
      read([
        ['a', one(0, 4)],
        ['b', one(0, 4, { dtype: 6 })],
      ]),
    ),
  ).toEqual(['tensorflow/bundle']);
  const tensors = await read([
    ['a', one(4, 4)],
    ['b', one(0, 4)],
    ['c', one(4, 4)],
    ['d', one(9, 3)],
    ['e', one(9, 0)],
    ['f', one(9, 0)],
  ]);
  expect(tensors.map(({ name, aliases }) => [name, ...aliases])).toEqual([
    ['b'],
    ['a', 'c'],
    ['e'],
    ['f'],
    ['d'],
  ]);
});

test('a table that is no checkpoint, and names that are no text', async () => {
  const table = async (...entries: Parameters<typeof tableOf>[0]) =>
    decodeBundle(memorySource('m.index', new Map([['m.index', await tableOf(entries)]])));
  expect(await codesOf(table(['a', utf8('b')]))).toEqual(['tensorflow/bundle']);
  expect(await codesOf(table())).toEqual(['tensorflow/bundle']);
  expect(await codesOf(table(['', Uint8Array.of(8)]))).toEqual(['tensorflow/bundle']);
  expect(await codesOf(table(['', Uint8Array.of(8, 1)], ['a', Uint8Array.of(0x3a, 90)]))).toEqual([
    'tensorflow/bundle',
  ]);
  expect(await codesOf(read([[Uint8Array.of(0xff, 0x61), one(0, 4)]]))).toEqual([
    'tensorflow/bundle',
  ]);
});

test('every weight file that is missing is told at once, and no name of a tensor is a path', async () => {
  const entries = [
    ['../../up', one(0, 2)],
    ['/root', one(2, 2, { shardId: 2 })],
  ] as const;
  const error = await failureOf(read(entries, { numShards: 3 }));
  expect(
    error.diagnostics.map(({ code, message }) => [code, message.match(/data-\S+\d/)?.[0]]),
  ).toEqual([
    ['core/missing-file', 'data-00000-of-00003'],
    ['core/missing-file', 'data-00002-of-00003'],
  ]);
  const [up] = await read([entries[0]]);
  expect(up!.name).toBe('../../up');
});

describe('the graph of the objects', () => {
  const graph = async (...bytes: number[]): Promise<ObjectGraph> =>
    decodeObjectGraph(Uint8Array.from(bytes), 'm.index');

  test('may go in circles', async () => {
    // nodes { children { node_id: 1 } } nodes { children {} }: each is the other's child.
    const { nodes } = await graph(0x0a, 4, 0x0a, 2, 8, 1, 0x0a, 2, 0x0a, 0);
    expect(nodes).toEqual([{ children: [{ nodeId: 1 }] }, { children: [{}] }]);
  });

  test.each([
    ['an object that is not there', [0x0a, 4, 0x0a, 2, 8, 1]],
    ['a slot that is not there', [0x0a, 4, 0x1a, 2, 0x18, 9]],
    ['bytes that are no message', [0x0a, 9, 1]],
  ])('%s is refused', async (_, bytes) => {
    expect(await codesOf(graph(...bytes))).toEqual(['tensorflow/object-graph']);
  });
});

describe('a file named checkpoint', () => {
  const latest = (text: string) =>
    latestPrefix(memorySource('checkpoint', new Map([['checkpoint', utf8(text)]])));

  test.each([
    ['model_checkpoint_path: "ckpt-3"\nall_model_checkpoint_paths: "ckpt-2"\n', 'ckpt-3'],
    ['model_checkpoint_path: "/home/a/run/model.ckpt-9"\n', 'model.ckpt-9'],
    ["model_checkpoint_path: 'sub/ckpt'\n\nlast_preserved_timestamp: 1.7e+09", 'sub/ckpt'],
    ['model_checkpoint_path: "n\\303\\244 \\"x\\" \\x41"', 'nä "x" A'],
  ])('%j names %s', async (text, prefix) => expect(await latest(text)).toBe(prefix));

  test.each([
    ['model_checkpoint_path: "../ckpt"', 'core/path'],
    ['model_checkpoint_path: "a/../../ckpt"', 'core/path'],
    ['model_checkpoint_path: "c:\\\\run\\\\ckpt"', 'core/path'],
    ['model_checkpoint_path: ""', 'core/path'],
    ['model_checkpoint_path: "ckpt', 'tensorflow/state'],
    ['model_checkpoint_path: 3', 'tensorflow/state'],
    ['model_checkpoint_path: "\\q"', 'tensorflow/state'],
    ['model_checkpoint_path: "\\377"', 'tensorflow/state'],
    ['all_model_checkpoint_paths: "a"', 'tensorflow/state'],
    ['model_checkpoint_path: "a"\nall_mod', 'tensorflow/state'],
  ])('%j is told as %s', async (text, code) => expect(await codesOf(latest(text))).toEqual([code]));
});

test('a file named checkpoint of a megabyte is none', async () => {
  const source = memorySource('checkpoint', new Map([['checkpoint', new Uint8Array(2 ** 20 + 1)]]));
  expect(await codesOf(latestPrefix(source))).toEqual(['tensorflow/state']);
});

describe('writing refuses', () => {
  const tensor = (name: string, more: Partial<WritableTensor> = {}): WritableTensor => ({
    name,
    dtype: 'uint8',
    shape: [2],
    bytes: ByteHandle.of(new Uint8Array(2)),
    ...more,
  });
  test.each<[string, string, readonly WritableTensor[]]>([
    ['the name of the header', 'core/not-writable', [tensor('')]],
    ['a name like the key of a slice', 'core/not-writable', [tensor('\0a')]],
    ['half a character', 'core/not-writable', [tensor('a', { aliases: ['\ud800'] })]],
    ['a name twice', 'core/duplicate', [tensor('a'), tensor('a')]],
    ['a further name twice', 'core/duplicate', [tensor('a', { aliases: ['b'] }), tensor('b')]],
    ['other bytes than the shape asks for', 'core/range', [tensor('a', { shape: [3] })]],
    [
      'a type that TensorFlow lacks',
      'core/not-writable',
      [tensor('a', { dtype: 'float8e8m0fnu' })],
    ],
  ])('%s', async (_, code, tensors) => {
    const sink = new MemorySink();
    expect(await codesOf(encodeBundle(sink, 'm', tensors))).toEqual([code]);
    await sink.commit();
    expect(sink.files.size).toBe(0);
  });
});

test('a tensor that is not in memory passes in pieces', async () => {
  const length = 2 ** 26;
  const piece = new Uint8Array(2 ** 22);
  const bytes = ByteHandle.computed(length, async function* () {
    for (let at = 0; at < length; at += piece.length) yield piece;
  });
  let [longest, written] = [0, 0];
  const sink = {
    create: async () => ({
      write: async (part: Uint8Array) => {
        longest = Math.max(longest, part.length);
        written += part.length;
      },
      close: async () => {},
    }),
    commit: async () => {},
    abort: async () => {},
  };
  const weight = Weight.stored('uint8', [length], 'w', bytes);
  await encodeBundle(sink, 'm', [
    { name: 'w', dtype: 'uint8', shape: [length], bytes: weight.handle },
  ]);
  expect(longest).toBe(piece.length);
  expect(written).toBeGreaterThan(length);
});
