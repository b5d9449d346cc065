import { readFileSync } from 'node:fs';
import {
  ByteHandle,
  DroverError,
  memorySource,
  MemorySink,
  type DType,
  type Source,
} from '@drover/core';
import { decodeParams, type NdArrayRecord, type ParamsLimits } from './decode-params.js';
import { encodeParams } from './encode-params.js';

const folder = new URL('./testdata/', import.meta.url);
const bytesOfFile = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(name, folder)));
const source = (bytes: Uint8Array): Source =>
  memorySource('m.params', new Map([['m.params', bytes]]));
const decode = (bytes: Uint8Array, limits?: ParamsLimits) => decodeParams(source(bytes), limits);

interface Fact {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly storage: string;
  readonly data: string;
}

const failure = async (run: () => Promise<unknown>): Promise<string> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics[0]!.code;
    throw error;
  }
  return 'none';
};

test.each(['legacy', 'v1', 'v3', 'dtypes', 'sparse'])(
  '%s.params holds what MXNet reads from it',
  async (name) => {
    const facts = JSON.parse(
      readFileSync(new URL(`${name}.params.json`, folder), 'utf8'),
    ) as Fact[];
    const { records } = await decode(bytesOfFile(`${name}.params`));
    const told = await Promise.all(
      records.map(async (record) => ({
        name: record.name,
        dtype: record.dtype,
        shape: record.shape,
        data: Buffer.from(await record.bytes.read()).toString('base64'),
      })),
    );
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(told.sort(byName)).toEqual(facts.map(({ storage: _, ...fact }) => fact).sort(byName));
  },
);

test('a list without names and an empty file', async () => {
  const list = await decode(bytesOfFile('list.params'));
  expect(list.named).toBe(false);
  expect(list.records.map(({ name, shape }) => [name, shape])).toEqual([
    ['', [3]],
    ['', [1, 1]],
  ]);
  expect(await decode(bytesOfFile('none.params'))).toEqual({ named: false, records: [] });
});

test('only headers are read before elements are asked for', async () => {
  const big = source(
    await written([
      { name: 'a', dtype: 'float32', shape: [1_000_000], bytes: new Uint8Array(4_000_000) },
      { name: 'b', dtype: 'int8', shape: [2], bytes: new Uint8Array([1, 2]) },
    ]),
  );
  let read = 0;
  const counted: Source = {
    ...big,
    read: async (range) => ((read += range!.length), big.read(range)),
  };
  const { records } = await decodeParams(counted);
  expect(records.map((record) => record.name)).toEqual(['a', 'b']);
  expect(read).toBeLessThan(200_000);
  expect(await records[1]!.bytes.read()).toEqual(new Uint8Array([1, 2]));
});

const written = async (
  arrays: readonly { name: string; dtype: DType; shape: readonly number[]; bytes: Uint8Array }[],
): Promise<Uint8Array> => {
  const sink = new MemorySink();
  const file = await sink.create('m.params');
  await encodeParams(
    file,
    arrays.map(({ bytes, ...array }) => ({ ...array, bytes: ByteHandle.of(bytes) })),
    'm.params',
  );
  await file.close();
  await sink.commit();
  return sink.files.get('m.params')!;
};

test('arrays are written byte by byte as MXNet 1.9.1 wrote them', async () => {
  const original = bytesOfFile('dtypes.params');
  const { records } = await decode(original);
  const arrays = await Promise.all(
    records.map(async ({ name, dtype, shape, bytes }) => ({
      name,
      dtype,
      shape,
      bytes: await bytes.read(),
    })),
  );
  expect(Buffer.from(await written(arrays)).equals(Buffer.from(original))).toBe(true);
});

test('what MXNet cannot hold is refused before anything is written', async () => {
  expect(
    await failure(() =>
      written([{ name: 'z', dtype: 'complex64', shape: [1], bytes: new Uint8Array(8) }]),
    ),
  ).toBe('core/not-writable');
  expect(
    await failure(() =>
      written([{ name: 's', dtype: 'float32', shape: [], bytes: new Uint8Array(4) }]),
    ),
  ).toBe('core/not-writable');
  expect(
    await failure(() =>
      written([{ name: 'w', dtype: 'float32', shape: [2], bytes: new Uint8Array(4) }]),
    ),
  ).toBe('core/range');
});

/** A params file of 64-bit and 32-bit words: `8:` and `4:` before the number. */
const file = (...words: (string | number)[]): Uint8Array => {
  const parts = words.map((word) => {
    const [size, value] = String(word).includes(':')
      ? String(word).split(':')
      : ['4', String(word)];
    const out = Buffer.alloc(Number(size));
    if (size === '8') out.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value!)));
    else out.writeUInt32LE(Number(BigInt.asUintN(32, BigInt(value!))));
    return out;
  });
  return new Uint8Array(Buffer.concat(parts));
};
const head = ['8:0x112', '8:0'];
const v2 = 0xf993fac9;
const v3 = 0xf993faca;
const none = '8:0';

test.each<[string, Uint8Array, string]>([
  ['another magic number', file('8:0x113', '8:0', '8:0', none), 'mxnet/params'],
  ['a zip file', new Uint8Array([0x50, 0x4b, 3, 4, 0, 0, 0, 0]), 'mxnet/npz'],
  ['an npy file', new TextEncoder().encode('\x93NUMPY\x01\x00').slice(1), 'mxnet/npz'],
  ['2^60 arrays', file(...head, '8:0x1000000000000000', none), 'mxnet/params'],
  ['more names than arrays', file(...head, '8:0', '8:1', '8:0'), 'mxnet/params'],
  ['a rank of -1', file(...head, '8:1', v2, 0, -1, none, none), 'mxnet/params'],
  ['a rank of 2^31', file(...head, '8:1', 0x80000000, none, none), 'mxnet/params'],
  ['an unknown version', file(...head, '8:1', 0xf993facb, none, none), 'mxnet/params'],
  ['a negative dimension', file(...head, '8:1', v2, 0, 1, '8:-1', 1, 0, 0, none), 'mxnet/params'],
  [
    'dimensions whose product wraps round to 0',
    file(...head, '8:1', v2, 0, 2, '8:0x100000000', '8:0x100000000', 1, 0, 0, none),
    'mxnet/params',
  ],
  [
    'a type that is not there',
    file(...head, '8:1', v2, 0, 1, '8:1', 1, 0, 13, 0, none),
    'mxnet/params',
  ],
  [
    'a device that is not there',
    file(...head, '8:1', v2, 0, 1, '8:1', 4, 0, 0, 0, none),
    'mxnet/params',
  ],
  [
    'a storage that is not there',
    file(...head, '8:1', v2, 3, 1, '8:1', 1, 0, 0, 0, none),
    'mxnet/params',
  ],
  ['a sparse V3 array', file(...head, '8:1', v3, 1, 1, '8:1', 1, 0, 0, 0, none), 'mxnet/params'],
  [
    'a row-sparse array with float indices',
    file(...head, '8:1', v2, 1, 1, '8:1', 1, '8:2', 1, 0, 0, 0, 1, '8:1', 0, 0, none),
    'mxnet/params',
  ],
  ['a name that leaves the file', file(...head, '8:1', 0, '8:1', '8:9'), 'mxnet/params'],
  ['bytes after the last name', file(...head, '8:0', none, 1), 'mxnet/params'],
])('%s is a typed error', async (_, bytes, expected) => {
  expect(await failure(() => decode(bytes))).toBe(expected);
});

test('a name twice is an error, `__proto__` is a name', async () => {
  const one = { dtype: 'int8', shape: [1], bytes: new Uint8Array([7]) } as const;
  expect(
    await failure(async () =>
      decode(
        await written([
          { name: 'arg:a', ...one },
          { name: 'arg:a', ...one },
        ]),
      ),
    ),
  ).toBe('core/duplicate');
  expect((await decode(await written([{ name: '__proto__', ...one }]))).records[0]!.name).toBe(
    '__proto__',
  );
});

test('an unknown shape (V3) and an array without dimensions (V2) have no elements', async () => {
  const { records } = await decode(file(...head, '8:2', v3, 0, -1, v2, 0, 0, none));
  expect(records.map(({ storage }) => storage.kind)).toEqual(['none', 'none']);
  expect(await failure(() => records[0]!.bytes.read())).toBe('mxnet/no-array');
});

const sparseRecord = async (
  index: string,
  rows: string,
  limits?: ParamsLimits,
): Promise<NdArrayRecord> =>
  (
    await decode(
      file(...head, '8:1', v2, 1, 1, '8:1', 1, rows, 1, 0, 4, 6, 1, '8:1', 7, index, none),
      limits,
    )
  ).records[0]!;

test('sparse arrays: an index outside is an error, and so is filling up beyond the limit', async () => {
  expect([...(await (await sparseRecord('8:1', '8:2')).bytes.read())]).toEqual([
    0, 0, 0, 0, 7, 0, 0, 0,
  ]);
  expect(await failure(async () => (await sparseRecord('8:2', '8:2')).bytes.read())).toBe(
    'mxnet/params',
  );
  expect(await failure(async () => (await sparseRecord('8:-1', '8:2')).bytes.read())).toBe(
    'mxnet/params',
  );
  expect(
    await failure(async () => (await sparseRecord('8:1', '8:0x10000000000')).bytes.read()),
  ).toBe('core/limit');
  expect(
    await failure(async () =>
      (await sparseRecord('8:1', '8:4', { maxDenseBytes: 15 })).bytes.read(),
    ),
  ).toBe('core/limit');
});

test.each(['legacy', 'v1', 'v3', 'sparse', 'dtypes', 'list'])(
  'every prefix and every flipped byte of %s.params gives arrays or a typed error',
  async (name) => {
    const whole = bytesOfFile(`${name}.params`);
    const readAll = (bytes: Uint8Array) =>
      failure(async () =>
        Promise.all(
          (await decode(bytes, { maxDenseBytes: 1e6 })).records.map((record) =>
            record.bytes.read(),
          ),
        ),
      );
    for (let length = 0; length < whole.length; length++)
      expect(await readAll(whole.slice(0, length))).not.toBe('none');
    for (let at = 0; at < whole.length; at++) {
      for (const mask of [1, 0x80, 0xff])
        await readAll(whole.map((byte, i) => (i === at ? byte ^ mask : byte)));
    }
  },
);
