import { ByteHandle, DroverError, MemorySink, type Source } from '@drover/core';
import { base64, fileOf, fixture, sourceOf } from '../../testing/fixture.js';
import { decodeFile, type HeaderLimits } from './decode-file.js';
import { dtypeOf, type SafetensorsDType } from './dtype.js';
import { encodeFile, type WritableTensor } from './encode-file.js';

const files = [
  ['safetensors-every_dtype', 'model.safetensors'],
  ['safetensors-tied', 'model.safetensors'],
  ['safetensors-sharded', 'model-00001-of-00003.safetensors'],
  ['safetensors-sharded', 'model-00002-of-00003.safetensors'],
  ['safetensors-sharded', 'model-00003-of-00003.safetensors'],
] as const;

async function encoded(
  tensors: readonly WritableTensor[],
  metadata: ReadonlyMap<string, string> = new Map(),
): Promise<Uint8Array> {
  const sink = new MemorySink();
  await encodeFile(await sink.create('m.safetensors'), tensors, metadata, 'm.safetensors');
  await sink.commit();
  return sink.files.get('m.safetensors')!;
}

test.each(files)('%s/%s holds what the library reads from it', async (folder, file) => {
  const { source, expected } = fixture(folder, file);
  const { tensors } = await decodeFile(source);
  const found = await Promise.all(
    tensors.map(async ({ name, dtype, shape, bytes }) => ({
      name,
      dtype: dtypeOf(dtype),
      shape,
      data: base64(await bytes.read()),
    })),
  );
  const names = found.map(({ name }) => name);
  expect(found).toEqual(expected.tensors.filter(({ name }) => names.includes(name)));
  if (file === 'model.safetensors') expect(found.length).toBe(expected.tensors.length);
});

test.each(files)('%s/%s is written again byte for byte', async (folder, file) => {
  const { source, files } = fixture(folder, file);
  const { tensors, metadata } = await decodeFile(source);
  // The order in which they are given says nothing.
  const given = tensors.toReversed() as readonly WritableTensor[];
  expect(base64(await encoded(given, metadata))).toBe(base64(files.get(file)!));
});

test('reads the header, and the bytes of a tensor when they are asked for, once', async () => {
  const whole = fixture('safetensors-every_dtype').source;
  const reads: (readonly [number, number])[] = [];
  const source: Source = {
    ...whole,
    read: (range) => {
      reads.push([range!.offset, range!.offset + range!.length]);
      return whole.read(range);
    },
  };
  const { tensors } = await decodeFile(source);
  const [[, sizeEnd], [begin, end]] = reads as [(typeof reads)[0], (typeof reads)[0]];
  expect([reads.length, sizeEnd, begin]).toEqual([2, 8, 8]);
  for (const { bytes } of tensors) for await (const _ of bytes.chunks());
  let last = end;
  for (const [from, to] of reads.slice(2)) {
    expect(from).toBe(last);
    last = to;
  }
  expect(last).toBe(whole.size);
});

const u8 = (begin: number, end: number, more: object = {}) => ({
  dtype: 'U8',
  shape: [end - begin],
  data_offsets: [begin, end],
  ...more,
});
const withSize = (size: bigint) => {
  const bytes = fileOf({ a: u8(0, 2) }, 2);
  new DataView(bytes.buffer).setBigUint64(0, size, true);
  return bytes;
};
const text = (header: string, data = 2) => fileOf(header, data);

const malformed: readonly (readonly [string, string, Uint8Array, HeaderLimits?])[] = [
  ['an empty file', 'core/range', new Uint8Array(0)],
  ['seven bytes', 'core/range', new Uint8Array(7)],
  ['zeros', 'safetensors/header', new Uint8Array(64)],
  ['a size of 2^63', 'safetensors/header', withSize(2n ** 63n)],
  ['a size of 101 MB', 'safetensors/header', withSize(101_000_000n)],
  ['a size of 90 MB', 'core/limit', withSize(90_000_000n)],
  ['a size beyond the file', 'core/range', withSize(4000n)],
  ['a header beyond a limit', 'core/limit', fileOf({ a: u8(0, 2) }, 2), { maxHeaderBytes: 10 }],
  ['a list', 'safetensors/header', text('[]  ')],
  ['a byte order mark', 'safetensors/header', text('\uFEFF{}', 0)],
  ['a blank before {', 'safetensors/header', text(' {}', 0)],
  ['no UTF-8', 'safetensors/header', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d))],
  ['no JSON', 'core/json', text('{"a":', 0)],
  ['text behind the object', 'core/json', text('{} x', 0)],
  [
    'half a character',
    'safetensors/header',
    text('{"\\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}'),
  ],
  [
    'a name twice',
    'core/duplicate',
    text(
      '{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"\\u0061":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}',
    ),
  ],
  ['a deep header', 'core/limit', text(`{"a":${'['.repeat(5000)}${']'.repeat(5000)}}`)],
  ['an entry that is null', 'core/json', fileOf({ a: null })],
  ['an entry that is a text', 'core/json', fileOf({ a: 'U8' })],
  ['no type', 'core/json', fileOf({ a: { shape: [0], data_offsets: [0, 0] } })],
  ['no shape', 'core/json', fileOf({ a: { dtype: 'U8', data_offsets: [0, 0] } })],
  ['no offsets', 'core/json', fileOf({ a: { dtype: 'U8', shape: [0] } })],
  ['three offsets', 'core/json', fileOf({ a: u8(0, 2, { data_offsets: [0, 2, 2] }) }, 2)],
  ['one offset', 'core/json', fileOf({ a: u8(0, 2, { data_offsets: [0] }) }, 2)],
  ['a negative dimension', 'safetensors/header', fileOf({ a: u8(0, 2, { shape: [-2, -1] }) }, 2)],
  [
    'a dimension of -0',
    'safetensors/header',
    text('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}', 0),
  ],
  ['a dimension of 2.5', 'safetensors/header', fileOf({ a: u8(0, 2, { shape: [2.5] }) }, 2)],
  [
    'a dimension of 2.0',
    'safetensors/header',
    text('{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}'),
  ],
  [
    'a dimension of 2e0',
    'safetensors/header',
    text('{"a":{"dtype":"U8","shape":[2e0],"data_offsets":[0,2]}}'),
  ],
  [
    'a dimension of 2^53',
    'core/json',
    text('{"a":{"dtype":"U8","shape":[9007199254740993],"data_offsets":[0,2]}}'),
  ],
  ['a dimension that is a text', 'core/json', fileOf({ a: u8(0, 2, { shape: ['2'] }) }, 2)],
  ['65 dimensions', 'core/limit', fileOf({ a: u8(0, 1, { shape: Array(65).fill(1) }) }, 1)],
  [
    'sizes whose product wraps',
    'safetensors/offsets',
    fileOf({ a: u8(0, 0, { shape: [2 ** 33, 2 ** 33] }) }),
  ],
  ['more bytes than the shape', 'safetensors/offsets', fileOf({ a: u8(0, 2, { shape: [1] }) }, 2)],
  [
    'fewer bytes than the type',
    'safetensors/offsets',
    fileOf({ a: u8(0, 2, { dtype: 'F32' }) }, 2),
  ],
  ['half a byte', 'safetensors/offsets', fileOf({ a: u8(0, 2, { dtype: 'F4', shape: [3] }) }, 2)],
  ['offsets turned round', 'safetensors/offsets', fileOf({ a: u8(2, 0, { shape: [0] }) }, 2)],
  ['an overlap', 'safetensors/offsets', fileOf({ a: u8(0, 2), b: u8(1, 3) }, 3)],
  ['one place twice', 'safetensors/offsets', fileOf({ a: u8(0, 2), b: u8(0, 2) }, 2)],
  ['a hole', 'safetensors/offsets', fileOf({ a: u8(0, 2), b: u8(3, 4) }, 4)],
  ['a hole at the start', 'safetensors/offsets', fileOf({ a: u8(1, 2) }, 2)],
  ['an empty tensor far away', 'safetensors/offsets', fileOf({ a: u8(7, 7) })],
  ['bytes at the end', 'safetensors/offsets', fileOf({ a: u8(0, 2) }, 3)],
  ['bytes that are missing', 'core/range', fileOf({ a: u8(0, 2), b: u8(2, 9) }, 5)],
  ['an end at 2^52', 'core/range', fileOf({ a: u8(0, 2 ** 52) }, 5)],
  ['metadata that is a number', 'core/json', fileOf({ __metadata__: { a: 1 } })],
  ['metadata that is a list', 'core/json', fileOf({ __metadata__: [] })],
];

// A fourth argument that may be absent would be taken for the callback of jest.
const cases = malformed.map(([what, code, ...file]) => [what, code, file] as const);

test.each(cases)('%s is told as %s', async (_, code, [bytes, limits]) => {
  const error = await decodeFile(sourceOf({ 'm.safetensors': bytes }), limits).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(DroverError);
  const [{ origin, ...found }] = (error as DroverError).diagnostics as [
    DroverError['diagnostics'][0],
  ];
  expect(found.code).toBe(code);
  expect(origin.file).toBe('m.safetensors');
  const place = [origin.offset, origin.pointer, origin.node].some((each) => each !== undefined);
  // The parser of the engine says the place of what is no JSON in its message.
  expect(place || code === 'core/json' || code === 'core/limit').toBe(true);
});

test('an offset that is told is one of the file', async () => {
  const bytes = text('{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}');
  const error = await decodeFile(sourceOf({ m: bytes })).catch((thrown: unknown) => thrown);
  const { offset } = (error as DroverError).diagnostics[0]!.origin;
  expect(Buffer.from(bytes).toString('latin1', offset! - 1, offset! + 2)).toBe('2.0');
});

test.each([
  ['nothing', '{}'],
  ['no metadata', '{"__metadata__":null}'],
  ['blanks of every kind at its end', '{} \n\t\r '],
])('a header with %s is read', async (_, header) => {
  const { tensors, metadata } = await decodeFile(sourceOf({ m: text(header, 0) }));
  expect([tensors, metadata.size]).toEqual([[], 0]);
});

test('types that Drover lacks, and names that objects have, are read as they are', async () => {
  const header =
    '{"__proto__":{"dtype":"F6_E2M3","shape":[4],"data_offsets":[0,3]},"constructor":{"dtype":"Q9","shape":[1],"data_offsets":[3,4]}}';
  const { tensors } = await decodeFile(sourceOf({ m: text(header, 4) }));
  expect(tensors.map(({ name, dtype, bytes }) => [name, dtype, bytes.length])).toEqual([
    ['__proto__', 'F6_E2M3', 3],
    ['constructor', 'Q9', 1],
  ]);
  expect(Object.prototype).not.toHaveProperty('dtype');
});

describe('writing refuses', () => {
  const tensor = (name: string, shape = [2], dtype: SafetensorsDType = 'U8'): WritableTensor => ({
    name,
    dtype,
    shape,
    bytes: ByteHandle.of(new Uint8Array(2)),
  });
  test.each([
    ['the name of the metadata', 'safetensors/text', [tensor('__metadata__')], {}],
    ['half a character', 'safetensors/text', [tensor('\ud800')], {}],
    ['half a character in the metadata', 'safetensors/text', [], { a: '\udc00' }],
    ['a name twice', 'core/duplicate', [tensor('a'), tensor('a')], {}],
    ['other bytes than the shape asks for', 'core/range', [tensor('a', [3])], {}],
    ['half a byte', 'core/range', [tensor('a', [3], 'F4')], {}],
    ['a header of more than 100 MB', 'core/not-writable', [], { a: 'a'.repeat(100_000_000) }],
  ] as const)('%s', async (_, code, tensors, metadata: Record<string, string>) => {
    await expect(encoded(tensors, new Map(Object.entries(metadata)))).rejects.toEqual(
      expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] }),
    );
  });
});
