import { DroverError, memorySource, type Source } from '@drover/core';
import { codesOf } from '../../../testing/failure.js';
import { tableOf } from '../../../testing/made-bundle.js';
import { maskedCrcOf } from '../masked-crc.js';
import { ByteCursor } from './byte-cursor.js';
import { Table } from './read-table.js';
import { decodeSnappy } from './snappy.js';
import { varint } from './write-table.js';

const utf8 = (text: string) => new TextEncoder().encode(text);
const opened = (bytes: Uint8Array): Source => memorySource('t', new Map([['t', bytes]]));
const magic = [0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb];

async function entriesOf(bytes: Uint8Array, limits = {}) {
  const found: [string, string][] = [];
  const text = (part: Uint8Array) => Buffer.from(part).toString();
  const table = await Table.open(opened(bytes), limits);
  for await (const { key, value } of table.entries()) found.push([text(key), text(value)]);
  return found;
}

type Numbers = readonly (number | Uint8Array | string)[];
const bytesOf = (...parts: Numbers) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === 'number' ? [part] : [...(typeof part === 'string' ? utf8(part) : part)],
    ),
  );
const u32 = (value: number) => new Uint8Array(Uint32Array.of(value).buffer);
const ended = (body: Uint8Array, ...restarts: readonly number[]) =>
  bytesOf(body, ...restarts.map(u32), u32(restarts.length));
/** A block with its trailer. */
const block = (content: Uint8Array, kind = 0) =>
  bytesOf(content, kind, u32(maskedCrcOf(content, Uint8Array.of(kind))));
const footer = (...handles: readonly Uint8Array[]) => {
  const bytes = new Uint8Array(48);
  bytes.set(bytesOf(...handles));
  bytes.set(magic, 40);
  return bytes;
};
const handle = (offset: number, size: number) => bytesOf(varint(offset), varint(size));
const entry = (key: string, value: Uint8Array) =>
  bytesOf(0, varint(key.length), varint(value.length), key, value);

/** A table of one block, whose content and whose place in the index can be anything. */
function tableWith(
  content: Uint8Array,
  { last = 'z', at = handle(0, content.length), kind = 0, index = [] as Uint8Array[] } = {},
): Uint8Array {
  const data = block(content, kind);
  const indexContent = index[0] ?? ended(entry(last, at), 0);
  return bytesOf(
    data,
    block(indexContent),
    footer(handle(0, content.length), handle(data.length, indexContent.length)),
  );
}

const sound = ended(bytesOf(entry('aa', utf8('1')), 1, 1, 1, 'b2'), 0);

test('entries of many blocks come back in order, and each is found by its key', async () => {
  const given = Array.from(
    { length: 3000 },
    (_, i) => [`layer/${i % 7}/${'x'.repeat(i % 90)}/${i}`, 'v'.repeat((i * 37) % 500)] as const,
  );
  const bytes = await tableOf(given.map(([key, value]) => [key, utf8(value)]));
  expect(bytes.length).toBeGreaterThan(2 * 262_144);
  const sorted = given.toSorted(([a], [b]) => (a < b ? -1 : 1));
  expect(await entriesOf(bytes)).toEqual(sorted);
  const table = await Table.open(opened(bytes));
  for (const [key, value] of given.slice(0, 50))
    expect(Buffer.from((await table.find(utf8(key)))!.value).toString()).toBe(value);
  for (const key of ['', 'layer/', 'zzz']) expect(await table.find(utf8(key))).toBeUndefined();
});

test('a table without entries', async () => {
  expect(await entriesOf(await tableOf([]))).toEqual([]);
});

test('a block that shares a prefix is read', async () => {
  expect(await entriesOf(tableWith(sound))).toEqual([
    ['aa', '1'],
    ['ab', '2'],
  ]);
});

const longVarint = Uint8Array.of(...new Array<number>(10).fill(0xff), 1);

test.each<readonly [string, string, Uint8Array]>([
  ['nothing', 'tensorflow/table', new Uint8Array(0)],
  ['less than a footer', 'tensorflow/table', Uint8Array.from(magic)],
  [
    'another magic',
    'tensorflow/table',
    tableWith(sound).map((b, i, { length }) => (i === length - 1 ? b ^ 1 : b)),
  ],
  [
    'an index beyond the file',
    'tensorflow/table',
    bytesOf(block(sound), footer(handle(0, 8), handle(5, 2 ** 40))),
  ],
  [
    'an index at 2^62',
    'tensorflow/table',
    bytesOf(block(sound), footer(handle(0, 8), handle(2 ** 53 - 1, 8))),
  ],
  [
    'a handle without an end',
    'tensorflow/table',
    bytesOf(block(sound), footer(longVarint, longVarint)),
  ],
  ['a block beyond the file', 'tensorflow/table', tableWith(sound, { at: handle(0, 4000) })],
  [
    'a block within the index',
    'tensorflow/table',
    tableWith(sound, { at: handle(3, sound.length) }),
  ],
  ['a handle that is cut off', 'tensorflow/table', tableWith(sound, { at: Uint8Array.of(0x80) })],
  [
    'a block twice',
    'tensorflow/table',
    tableWith(sound, {
      index: [
        ended(bytesOf(entry('y', handle(0, sound.length)), entry('z', handle(0, sound.length))), 0),
      ],
    }),
  ],
  ['keys beyond that of the index', 'tensorflow/table', tableWith(sound, { last: 'aa' })],
  ['a bit flipped', 'tensorflow/checksum', tableWith(sound).map((b, i) => (i === 3 ? b ^ 1 : b))],
  ['a compression that does not exist', 'tensorflow/table', tableWith(sound, { kind: 7 })],
  ['a block of three bytes', 'tensorflow/table', tableWith(Uint8Array.of(0, 0, 0))],
  ['a million restarts', 'tensorflow/table', tableWith(bytesOf(sound.subarray(0, -4), u32(1e6)))],
  ['no restart', 'tensorflow/table', tableWith(bytesOf(entry('a', utf8('1')), u32(0)))],
  ['a restart within an entry', 'tensorflow/table', tableWith(ended(entry('a', utf8('1')), 0, 2))],
  [
    'a restart behind the entries',
    'tensorflow/table',
    tableWith(ended(entry('a', utf8('1')), 0, 90)),
  ],
  [
    'a restart that shares',
    'tensorflow/table',
    tableWith(ended(bytesOf(entry('aa', utf8('1')), 1, 1, 1, 'b2'), 0, 6)),
  ],
  [
    'a prefix longer than the key before',
    'tensorflow/table',
    tableWith(ended(bytesOf(entry('a', utf8('1')), 2, 1, 1, 'b2'), 0)),
  ],
  ['a key that leaves its block', 'tensorflow/table', tableWith(ended(bytesOf(0, 90, 1, 'b2'), 0))],
  [
    'a key of 2^40 bytes',
    'tensorflow/table',
    tableWith(ended(bytesOf(0, varint(2 ** 40), 1, 'b2'), 0)),
  ],
  [
    'a value that leaves its block',
    'tensorflow/table',
    tableWith(ended(bytesOf(0, 1, 9, 'b2'), 0)),
  ],
  [
    'a length without an end',
    'tensorflow/table',
    tableWith(ended(bytesOf(longVarint, 1, 'b2'), 0)),
  ],
  [
    'a key twice',
    'tensorflow/table',
    tableWith(ended(bytesOf(entry('a', utf8('1')), entry('a', utf8('2'))), 0)),
  ],
  [
    'keys out of order',
    'tensorflow/table',
    tableWith(ended(bytesOf(entry('b', utf8('1')), entry('a', utf8('2'))), 0)),
  ],
  ['snappy that is none', 'tensorflow/table', tableWith(sound, { kind: 1 })],
])('%s is told as %s', async (_, code, bytes) => {
  expect(await codesOf(entriesOf(bytes))).toEqual([code]);
});

test('entries and keys are limited, however few bytes they take', async () => {
  const key = 'k'.repeat(1000);
  const bytes = await tableOf(
    Array.from({ length: 100 }, (_, i) => [`${key}${i}`, new Uint8Array(0)] as const),
  );
  expect(bytes.length).toBeLessThan(10_000);
  expect(await codesOf(entriesOf(bytes, { maxKeyBytes: 50_000 }))).toEqual(['core/limit']);
  expect(await codesOf(entriesOf(bytes, { maxEntries: 99 }))).toEqual(['core/limit']);
  expect(await entriesOf(bytes, { maxEntries: 101, maxKeyBytes: 110_000 })).toHaveLength(100);
});

describe('snappy', () => {
  const decode = (...parts: Numbers) => {
    const decoded = decodeSnappy(new ByteCursor(bytesOf(...parts), 's', 0));
    return Buffer.from(decoded).toString();
  };

  // By the description of the format: lengths less one or four, offsets little-endian.
  test.each<readonly [string, string, Numbers]>([
    ['a literal', 'abc', [3, 2 << 2, 'abc']],
    ['a literal of a length in a byte', 'x'.repeat(70), [70, 60 << 2, 69, 'x'.repeat(70)]],
    [
      'a literal of a length in two',
      'y'.repeat(300),
      [varint(300), 61 << 2, 43, 1, 'y'.repeat(300)],
    ],
    ['a copy near by, over itself', 'abababab', [8, 1 << 2, 'ab', ((6 - 4) << 2) | 1, 2]],
    ['a copy of two bytes', 'abcdabcd', [8, 3 << 2, 'abcd', (3 << 2) | 2, 4, 0]],
    ['a copy of four bytes', 'abcdabcd', [8, 3 << 2, 'abcd', (3 << 2) | 3, 4, 0, 0, 0]],
    ['nothing', '', [0]],
  ])('%s', (_, text, parts) => expect(decode(...parts)).toBe(text));

  test.each<readonly [string, Numbers]>([
    ['that is empty', []],
    ['whose literal leaves it', [3, 8 << 2, 'abc']],
    ['whose literal is too long', [2, 2 << 2, 'abc']],
    ['whose copy begins before it', [8, 3 << 2, 'abcd', (3 << 2) | 2, 5, 0]],
    ['whose copy has no offset', [8, 3 << 2, 'abcd', (3 << 2) | 2, 0, 0]],
    ['whose copy is too long', [5, 3 << 2, 'abcd', (3 << 2) | 2, 4, 0]],
    ['that is too short', [9, 3 << 2, 'abcd']],
    ['that claims a gigabyte', [varint(2 ** 30), 3 << 2, 'abcd']],
  ])('a block %s is refused', (_, parts) => {
    expect(() => decode(...parts)).toThrow(DroverError);
  });
});
