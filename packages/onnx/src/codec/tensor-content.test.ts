import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ByteHandle, bitsOf, memorySource, Report } from '@drover/core';
import { DataType, type SparseTensorProto, type TensorProto } from '../schema/onnx.js';
import { dataTypeOf, dtypeOf } from './data-type.js';
import { decodeModel } from './decode.js';
import { TensorReader, tensorProto, type NumericContent } from './tensor-content.js';

const testdata = new URL('./testdata/', import.meta.url);
const source = memorySource(
  'tensors.onnx',
  new Map([['tensors.onnx', new Uint8Array(readFileSync(new URL('tensors.onnx', testdata)))]]),
);
const reader = new TensorReader(source);

interface Fact {
  readonly name: string;
  readonly dtype: keyof typeof DataType;
  readonly shape: readonly number[];
  readonly sparse?: boolean;
  readonly data?: string | readonly string[];
  readonly sha256?: string;
}
const facts = JSON.parse(
  readFileSync(new URL('tensors.json', testdata), 'utf8'),
) as readonly Fact[];
const withCode = (code: string) => ({ diagnostics: [{ code }] });

describe('tensors as onnx.numpy_helper reads them', () => {
  test.each(facts)('$name', async ({ name, dtype, shape, sparse, data, sha256 }) => {
    const { graph } = await decodeModel(source);
    const content = sparse
      ? await reader.openSparse(
          graph!.sparseInitializer!.find((each) => each.values!.name === name)!,
        )
      : await reader.open(graph!.initializer!.find((each) => each.name === name)!);
    expect(dataTypeOf(content.dtype)).toBe(DataType[dtype]);
    expect(content.shape).toEqual(shape);
    if (content.dtype === 'string') {
      expect(sha256 === undefined ? content.data : content.data.length).toEqual(data);
      return;
    }
    const bytes = await content.data.read();
    expect(bytes.length).toBe(content.data.length);
    if (sha256) expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
    else expect(Buffer.from(bytes).toString('base64')).toBe(data);
  });

  test('what is larger than 1 KiB is not read by opening it', async () => {
    const { graph } = await decodeModel(source);
    const reads: number[] = [];
    const watched = {
      ...source,
      read: (range?: { offset: number; length: number }) => (
        reads.push(range?.length ?? -1),
        source.read(range)
      ),
    };
    const watching = new TensorReader(watched);
    for (const tensor of graph!.initializer!.filter(({ name }) =>
      /^(FLOAT|INT64|UINT32|COMPLEX128|FLOAT16)\..*11x101$/.test(name!),
    )) {
      const { data } = (await watching.open(tensor)) as NumericContent;
      expect(data.isInMemory).toBe(false);
    }
    expect(reads).toEqual([]);
  });
});

describe('what is wrong with a tensor', () => {
  const float = { name: 't', dataType: DataType.FLOAT };
  const bytes = (length: number) => new Uint8Array(length);
  const large = (length: number) =>
    ByteHandle.computed(length, () => {
      throw new Error('must not be read');
    });

  test.each<[string, TensorProto, string]>([
    ['data type 0', { rawData: bytes(4) }, 'onnx/tensor-dtype'],
    ['data type 99', { dataType: 99, rawData: bytes(4) }, 'onnx/tensor-dtype'],
    [
      'a 6-bit float',
      { dataType: DataType.FLOAT6E2M3, dims: [4], rawData: bytes(3) },
      'onnx/tensor-dtype',
    ],
    [
      'strings in raw_data',
      { dataType: DataType.STRING, dims: [1], rawData: bytes(4) },
      'onnx/tensor-dtype',
    ],
    [
      'strings elsewhere',
      {
        dataType: DataType.STRING,
        dims: [1],
        dataLocation: 1,
        externalData: [{ key: 'location', value: 'x' }],
      },
      'onnx/tensor-dtype',
    ],
    ['a negative dimension', { ...float, dims: [2, -1], rawData: bytes(8) }, 'onnx/tensor-shape'],
    [
      'a dimension of 2^62',
      { ...float, dims: [2n ** 62n], rawData: bytes(8) },
      'onnx/tensor-shape',
    ],
    [
      'dimensions whose product is 2^54',
      { ...float, dims: [2 ** 27, 2 ** 27], rawData: bytes(8) },
      'onnx/tensor-shape',
    ],
    [
      'dimensions whose product is 2^80',
      { ...float, dims: [2 ** 40, 2 ** 40], rawData: bytes(8) },
      'onnx/tensor-shape',
    ],
    [
      'dimensions whose product wraps to 0 in 64 bits',
      { ...float, dims: [2 ** 32, 2 ** 32], rawData: bytes(0) },
      'onnx/tensor-shape',
    ],
    [
      '65 dimensions',
      { ...float, dims: new Array<number>(65).fill(1), rawData: bytes(4) },
      'onnx/tensor-shape',
    ],
    ['too few bytes', { ...float, dims: [3], rawData: bytes(11) }, 'onnx/tensor-size'],
    ['too many bytes', { ...float, dims: [3], rawData: bytes(13) }, 'onnx/tensor-size'],
    ['no bytes', { ...float, dims: [3] }, 'onnx/tensor-size'],
    [
      'bytes where there are no elements',
      { ...float, dims: [0], rawData: bytes(4) },
      'onnx/tensor-size',
    ],
    [
      'too few bytes left in the file',
      { ...float, dims: [1000], rawData: large(3999) },
      'onnx/tensor-size',
    ],
    [
      'a nibble too few',
      { dataType: DataType.INT4, dims: [5], rawData: bytes(2) },
      'onnx/tensor-size',
    ],
    ['too few floats', { ...float, dims: [3], floatData: [1, 2] }, 'onnx/tensor-size'],
    [
      'too few pairs',
      { dataType: DataType.COMPLEX64, dims: [2], floatData: [1, 2] },
      'onnx/tensor-size',
    ],
    [
      'too many integers',
      { dataType: DataType.INT32, dims: [1], int32Data: [1, 2] },
      'onnx/tensor-size',
    ],
    [
      'more elements than the bytes of numbers',
      { dataType: DataType.INT64, dims: [2 ** 40], int64Data: large(2000) },
      'onnx/tensor-size',
    ],
    [
      'too few strings',
      { dataType: DataType.STRING, dims: [2], stringData: [bytes(1)] },
      'onnx/tensor-size',
    ],
    [
      'a string that is not UTF-8',
      { dataType: DataType.STRING, dims: [1], stringData: [Uint8Array.of(0xff)] },
      'onnx/tensor-data',
    ],
    ['floats in the wrong field', { ...float, dims: [1], int64Data: [1] }, 'onnx/tensor-data'],
    [
      'elements twice',
      { ...float, dims: [1], floatData: [1], rawData: bytes(4) },
      'onnx/tensor-data',
    ],
    ['256 as uint8', { dataType: DataType.UINT8, dims: [1], int32Data: [256] }, 'onnx/tensor-data'],
    ['-1 as uint8', { dataType: DataType.UINT8, dims: [1], int32Data: [-1] }, 'onnx/tensor-data'],
    ['-129 as int8', { dataType: DataType.INT8, dims: [1], int32Data: [-129] }, 'onnx/tensor-data'],
    [
      '65536 as float16',
      { dataType: DataType.FLOAT16, dims: [1], int32Data: [65536] },
      'onnx/tensor-data',
    ],
    [
      '2^32 as uint32',
      { dataType: DataType.UINT32, dims: [1], uint64Data: [2 ** 32] },
      'onnx/tensor-data',
    ],
    [
      'a segment',
      { ...float, dims: [1], rawData: bytes(4), segment: { begin: 0, end: 1 } },
      'onnx/tensor-data',
    ],
    [
      'an unknown place',
      { ...float, dims: [1], rawData: bytes(4), dataLocation: 2 },
      'onnx/tensor-data',
    ],
  ])('%s', async (_name, tensor, code) => {
    await expect(reader.open(tensor)).rejects.toMatchObject(withCode(code));
  });

  test.each([
    ['too few numbers', [1, 0x82, 1], 'onnx/tensor-size'],
    ['too many numbers', [1, 2, 3, 4], 'onnx/tensor-size'],
    ['half a number', [1, 2, 0x83], 'onnx/tensor-size'],
    [
      'a number of more than 64 bits',
      [1, 2, ...new Array<number>(12).fill(0x80), 1],
      'onnx/tensor-data',
    ],
  ])('%s, found when they are read', async (_name, packed, code) => {
    const int64Data = ByteHandle.of(Uint8Array.from(packed));
    const tensor = { dataType: DataType.INT64, dims: [3], int64Data };
    const { data } = (await reader.open(tensor)) as NumericContent;
    await expect(data.read()).rejects.toMatchObject(withCode(code));
  });

  test.each<[string, SparseTensorProto, string]>([
    [
      'no indices',
      { values: { ...float, dims: [1], floatData: [1] }, dims: [2] },
      'onnx/tensor-dtype',
    ],
    [
      'an index out of range',
      {
        values: { ...float, dims: [1], floatData: [1] },
        indices: { dataType: 7, dims: [1], int64Data: [2] },
        dims: [2],
      },
      'onnx/tensor-data',
    ],
    [
      'a negative index',
      {
        values: { ...float, dims: [1], floatData: [1] },
        indices: { dataType: 7, dims: [1], int64Data: [-1] },
        dims: [2],
      },
      'onnx/tensor-data',
    ],
    [
      'an index twice',
      {
        values: { ...float, dims: [2], floatData: [1, 2] },
        indices: { dataType: 7, dims: [2], int64Data: [1, 1] },
        dims: [2],
      },
      'onnx/tensor-data',
    ],
    [
      'fewer indices than values',
      {
        values: { ...float, dims: [2], floatData: [1, 2] },
        indices: { dataType: 7, dims: [1], int64Data: [1] },
        dims: [2],
      },
      'onnx/tensor-data',
    ],
    [
      'indices of another rank',
      {
        values: { ...float, dims: [1], floatData: [1] },
        indices: { dataType: 7, dims: [1, 3], int64Data: [0, 0, 0] },
        dims: [2, 2],
      },
      'onnx/tensor-data',
    ],
    [
      'indices of int32',
      {
        values: { ...float, dims: [1], floatData: [1] },
        indices: { dataType: 6, dims: [1], int32Data: [0] },
        dims: [2],
      },
      'onnx/tensor-data',
    ],
    [
      'a dense size of 4 TB',
      {
        values: { ...float, dims: [1], floatData: [1] },
        indices: { dataType: 7, dims: [1], int64Data: [0] },
        dims: [2 ** 40],
      },
      'core/limit',
    ],
  ])('sparse with %s', async (_name, sparse, code) => {
    const read = async () => {
      const { data } = (await reader.openSparse(sparse)) as NumericContent;
      await data.read();
    };
    await expect(read()).rejects.toMatchObject(withCode(code));
  });
});

describe('external data', () => {
  const files = new Map([
    ['models/m.onnx', new Uint8Array(10)],
    ['models/w.bin', Uint8Array.from({ length: 32 }, (_, i) => i)],
    ['models/sub/w.bin', new Uint8Array(8)],
    ['secret', new Uint8Array(100)],
  ]);
  const external = (
    location: string | undefined,
    more: Record<string, string> = {},
    dims = [2],
  ): TensorProto => ({
    name: 't',
    dataType: DataType.FLOAT,
    dims,
    dataLocation: 1,
    externalData: Object.entries({ ...(location !== undefined && { location }), ...more }).map(
      ([key, value]) => ({ key, value }),
    ),
  });
  const open = (tensor: TensorProto, report?: Report) =>
    new TensorReader(memorySource('models/m.onnx', files), { ...(report && { report }) }).open(
      tensor,
    );

  test.each([
    [
      'with offset and length',
      external('w.bin', { offset: '8', length: '8' }),
      [8, 9, 10, 11, 12, 13, 14, 15],
    ],
    ['without offset and length', external('w.bin'), [0, 1, 2, 3, 4, 5, 6, 7]],
    ['to the last byte', external('./w.bin', { offset: '24' }), [24, 25, 26, 27, 28, 29, 30, 31]],
    ['below the folder', external('sub/w.bin', { length: '8' }), new Array(8).fill(0)],
    ['without elements', external('w.bin', { offset: '32', length: '0' }, [0]), []],
  ])('%s', async (_name, tensor, expected) => {
    const { data } = (await open(tensor)) as NumericContent;
    expect([...(await data.read())]).toEqual(expected);
  });

  test.each([
    ['../secret', 'core/path'],
    ['sub/../../secret', 'core/path'],
    ['/dev/zero', 'core/path'],
    ['C:\\w.bin', 'core/path'],
    ['C:w.bin', 'core/path'],
    ['\\\\server\\share', 'core/path'],
    ['..\\secret', 'core/path'],
    ['w.bin\0.txt', 'core/path'],
    ['file:///etc/passwd', 'core/path'],
    ['', 'core/path'],
    ['.', 'core/path'],
    ['none.bin', 'core/missing-file'],
    [undefined, 'onnx/external-data'],
  ])('location %j', async (location, code) => {
    await expect(open(external(location))).rejects.toMatchObject(withCode(code));
  });

  test.each([
    [{ offset: '25' }, 'core/range'],
    [{ offset: '9007199254740991' }, 'core/range'],
    [{ offset: '-8' }, 'onnx/external-data'],
    [{ offset: '0x8' }, 'onnx/external-data'],
    [{ offset: '1e1' }, 'onnx/external-data'],
    [{ offset: '' }, 'onnx/external-data'],
    [{ offset: '99999999999999999999' }, 'onnx/external-data'],
    [{ length: '7' }, 'onnx/tensor-size'],
    [{ length: '99999999' }, 'onnx/tensor-size'],
    [{ length: '-1' }, 'onnx/external-data'],
  ])('%j', async (entries, code) => {
    await expect(open(external('w.bin', entries))).rejects.toMatchObject(withCode(code));
  });

  test('a key twice is an error, an unknown key a warning', async () => {
    const twice = {
      ...external('w.bin'),
      externalData: [
        { key: 'location', value: 'w.bin' },
        { key: 'location', value: 'sub/w.bin' },
      ],
    };
    await expect(open(twice)).rejects.toMatchObject(withCode('onnx/external-data'));
    const report = new Report();
    await open(
      {
        ...external('w.bin'),
        externalData: [
          { key: 'location', value: 'w.bin' },
          { key: '__proto__', value: 'x' },
          { key: 'checksum', value: 'x' },
        ],
      },
      report,
    );
    expect(report.diagnostics.map((each) => each.code)).toEqual([
      'onnx/external-entry-ignored',
      'onnx/external-entry-ignored',
    ]);
  });

  test('elements in the model as well are an error', async () => {
    await expect(open({ ...external('w.bin'), rawData: new Uint8Array(8) })).rejects.toMatchObject(
      withCode('onnx/tensor-data'),
    );
  });

  test('the rules hold within sparse tensors', async () => {
    const sparse = {
      values: external('../secret', {}, [2]),
      indices: { dataType: 7, dims: [2], int64Data: [0, 1] },
      dims: [4],
    };
    await expect(
      new TensorReader(memorySource('models/m.onnx', files)).openSparse(sparse),
    ).rejects.toMatchObject(withCode('core/path'));
  });

  test('a file that the user names stands for every location', async () => {
    const params = memorySource('secret', files);
    const reader = new TensorReader(memorySource('models/m.onnx', files), { params });
    const tensor = external('elsewhere.bin', { offset: '92' });
    const { data } = (await reader.open(tensor)) as NumericContent;
    expect(data.same(ByteHandle.range(params, 92, 8))).toBe(true);
  });
});

describe('tensorProto', () => {
  test('is read back, every element type', async () => {
    for (const dataType of Object.values(DataType)) {
      const dtype = dtypeOf(dataType);
      if (dtype === undefined || dtype === 'string') continue;
      const data = ByteHandle.of(Uint8Array.from({ length: 16 }, (_, i) => i));
      const content = { dtype, shape: [1, 128 / bitsOf(dtype)], data };
      const proto = tensorProto('t', content);
      expect(proto).toMatchObject({ name: 't', dataType, rawData: data });
      expect(await reader.open(proto)).toEqual(content);
    }
    expect(
      await reader.open(
        tensorProto('scalar', { dtype: 'int8', shape: [], data: ByteHandle.of(Uint8Array.of(7)) }),
      ),
    ).toMatchObject({ shape: [] });
    const words = { dtype: 'string' as const, shape: [2, 1], data: ['é漢', '\0'] };
    expect(await reader.open(tensorProto('t', words))).toEqual(words);
    expect(() => tensorProto('t', { dtype: 'string', shape: [], data: ['\ud800'] })).toThrow(
      'protobuf/unencodable',
    );
  });
});
