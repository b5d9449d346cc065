import { memorySource } from '@drover/core';
import { codesOf, failureOf } from '../../testing/failure.js';
import { fixture } from '../../testing/fixture.js';
import { bundleOf, bytesEntry, readBundle, tableOf } from '../../testing/made-bundle.js';
import { decodeBundle } from './decode-bundle.js';
import { maskedCrcOf } from './masked-crc.js';
import type { BundleEntry, BundleHeader } from './messages.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

const contradictions: readonly (readonly [string, string, BundleEntry, BundleHeader?])[] = [
  ['no weight files', 'tensorflow/bundle', bytesEntry(0, 4), { version: { producer: 1 } }],
  ['-1 weight files', 'tensorflow/bundle', bytesEntry(0, 4), { numShards: -1 }],
  ['a billion weight files', 'core/limit', bytesEntry(0, 4), { numShards: 1e9 }],
  ['weight files that are missing', 'core/missing-file', bytesEntry(0, 4), { numShards: 2 }],
  [
    'an order of bytes that does not exist',
    'tensorflow/bundle',
    bytesEntry(0, 4),
    { numShards: 1, endianness: 2 },
  ],
  [
    'a version to come',
    'tensorflow/generation',
    bytesEntry(0, 4),
    { numShards: 1, version: { minConsumer: 2 } },
  ],
  [
    'a version that refuses this one',
    'tensorflow/generation',
    bytesEntry(0, 4),
    { numShards: 1, version: { badConsumers: [1] } },
  ],
  ['a weight file beyond their count', 'tensorflow/bundle', bytesEntry(0, 4, { shardId: 1 })],
  ['a weight file before the first', 'tensorflow/bundle', bytesEntry(0, 4, { shardId: -1 })],
  ['an offset beyond the file', 'core/range', bytesEntry(37, 4)],
  ['an offset of 2^62', 'tensorflow/bundle', bytesEntry(0, 4, { offset: 2n ** 62n })],
  ['an offset before the file', 'tensorflow/bundle', bytesEntry(0, 4, { offset: -1 })],
  ['a negative size', 'tensorflow/bundle', bytesEntry(0, 4, { size: -4 })],
  [
    'a size beyond the file',
    'core/range',
    bytesEntry(0, 4, { size: 2 ** 40, shape: { dim: [{ size: 2 ** 40 }] } }),
  ],
  [
    'a size that the shape does not ask for',
    'tensorflow/bundle',
    bytesEntry(0, 4, { shape: { dim: [{ size: 5 }] } }),
  ],
  ['a size that the type does not ask for', 'tensorflow/bundle', bytesEntry(0, 4, { dtype: 1 })],
  [
    'a negative dimension',
    'tensorflow/bundle',
    bytesEntry(0, 4, { shape: { dim: [{ size: -2 }, { size: -2 }] } }),
  ],
  [
    'sizes whose product wraps',
    'tensorflow/bundle',
    bytesEntry(0, 4, { shape: { dim: [{ size: 2 ** 40 }, { size: 2 ** 40 }] } }),
  ],
  [
    '65 dimensions',
    'core/limit',
    bytesEntry(0, 1, { shape: { dim: new Array(65).fill({ size: 1 }) as [] } }),
  ],
  ['no shape', 'tensorflow/bundle', bytesEntry(0, 4, { shape: { unknownRank: true } })],
  ['the type 0', 'tensorflow/bundle', bytesEntry(0, 4, { dtype: 0 })],
  ['the type 99', 'tensorflow/bundle', bytesEntry(0, 4, { dtype: 99 })],
  ['a negative type', 'tensorflow/bundle', bytesEntry(0, 4, { dtype: -3 })],
  ['another CRC', 'tensorflow/checksum', bytesEntry(0, 4, { crc32c: 1 })],
  ['no CRC', 'tensorflow/checksum', bytesEntry(0, 4, { crc32c: 0 })],
  [
    'more strings than bytes',
    'tensorflow/bundle',
    bytesEntry(0, 9, { dtype: 7, shape: { dim: [{ size: 3e7 }] } }),
  ],
  [
    'strings whose lengths have another CRC',
    'tensorflow/checksum',
    bytesEntry(1, 9, { dtype: 7, shape: { dim: [{ size: 2 }] } }),
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
  expect(await codesOf(readBundle([['w', entry]], header))).toEqual([code]);
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

test('bytes that two tensors share in part are refused; the same bytes are one tensor', async () => {
  expect(
    await codesOf(
      readBundle([
        ['a', bytesEntry(0, 4)],
        ['b', bytesEntry(3, 4)],
      ]),
    ),
  ).toEqual(['tensorflow/bundle']);
  expect(
    await codesOf(
      readBundle([
        ['a', bytesEntry(0, 4)],
        ['b', bytesEntry(0, 4, { dtype: 6 })],
      ]),
    ),
  ).toEqual(['tensorflow/bundle']);
  expect(
    await codesOf(
      readBundle([
        ['a', bytesEntry(0, 4)],
        ['b', bytesEntry(0, 4, { crc32c: 1 })],
      ]),
    ),
  ).toEqual(['tensorflow/bundle']);
  const tensors = await readBundle([
    ['a', bytesEntry(4, 4)],
    ['b', bytesEntry(0, 4)],
    ['c', bytesEntry(4, 4)],
    ['d', bytesEntry(9, 3)],
    ['e', bytesEntry(9, 0)],
    ['f', bytesEntry(9, 0)],
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
  expect(await codesOf(readBundle([[Uint8Array.of(0xff, 0x61), bytesEntry(0, 4)]]))).toEqual([
    'tensorflow/bundle',
  ]);
});

test('every weight file that is missing is told at once, and no name of a tensor is a path', async () => {
  const entries = [
    ['../../up', bytesEntry(0, 2)],
    ['/root', bytesEntry(2, 2, { shardId: 2 })],
  ] as const;
  const error = await failureOf(readBundle(entries, { numShards: 3 }));
  expect(
    error.diagnostics.map(({ code, message }) => [code, message.match(/data-\S+\d/)?.[0]]),
  ).toEqual([
    ['core/missing-file', 'data-00000-of-00003'],
    ['core/missing-file', 'data-00002-of-00003'],
  ]);
  const [up] = await readBundle([entries[0]]);
  expect(up!.name).toBe('../../up');
});
