import { ByteHandle, MemorySink, memorySource, Weight, type Source } from '@drover/core';
import { codesOf } from '../../testing/failure.js';
import { all, base64, fixture } from '../../testing/fixture.js';
import { bytesEntry, readBundle } from '../../testing/made-bundle.js';
import { decodeBundle } from './decode-bundle.js';
import { elementTypeOf } from './element-type.js';
import { encodeBundle, type WritableTensor } from './encode-bundle.js';

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

test('of a byte that holds four bits the low ones count, also of one that is alone', async () => {
  const int4 = 29;
  // 0x1c; 0x23, 0x2a and 0x31.
  const [one, three] = await readBundle([
    ['one', bytesEntry(4, 1, { dtype: int4 })],
    ['three', bytesEntry(5, 3, { dtype: int4 })],
  ]);
  expect([...(await one!.bytes.read())]).toEqual([0xc]);
  expect([...(await three!.bytes.read())]).toEqual([0xa3, 0x1]);
  const sink = new MemorySink();
  const bytes = ByteHandle.of(Uint8Array.of(0xfc));
  await encodeBundle(sink, 'm', [{ name: 'one', dtype: 'int4', shape: [1], bytes }]);
  await sink.commit();
  expect([...sink.files.get('m.data-00000-of-00001')!]).toEqual([0xc]);
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
