import fc from 'fast-check';
import { dtypes, intRange, type DType } from './dtype.js';
import {
  allocate,
  decodeStrings,
  decodeTensor,
  encodeTensor,
  pack,
  roundTo,
  tensor,
  unpack,
} from './tensor.js';

const bytes = (...values: number[]) => Uint8Array.from(values);

// Little-endian encodings by hand.
test.each([
  ['float32', [1, -2], [1, -2], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]],
  ['float64', [1], [1], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]],
  ['float16', [1.5, -2], [1.5, -2], [0, 0x3e, 0, 0xc0]],
  ['bfloat16', [1, 3.140625], [1, 3.140625], [0x80, 0x3f, 0x49, 0x40]],
  ['int16', [-2, 258], [-2, 258], [0xfe, 0xff, 2, 1]],
  ['uint16', [65535], [65535], [0xff, 0xff]],
  ['int64', [-1n], [-1n], [255, 255, 255, 255, 255, 255, 255, 255]],
  ['uint64', [2n ** 63n], [2n ** 63n], [0, 0, 0, 0, 0, 0, 0, 0x80]],
  ['bool', [true, false], [1, 0], [1, 0]],
  ['int4', [-8, 7, -1], [-8, 7, -1], [0x78, 0x0f]],
  ['uint4', [1, 2, 15], [1, 2, 15], [0x21, 0x0f]],
  ['int2', [-2, 1, -1, 0, 1], [-2, 1, -1, 0, 1], [0b00110110, 0b01]],
  ['uint2', [3, 0, 2], [3, 0, 2], [0b100011]],
  ['float4e2m1fn', [6, -0.5], [6, -0.5], [0x97]],
  ['float8e4m3fn', [448, 2 ** -9], [448, 2 ** -9], [0x7e, 0x01]],
  ['float8e8m0fnu', [1, 0.5], [1, 0.5], [127, 126]],
  ['complex64', [1, -2], [1, -2], [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]],
  ['string', ['é', ''], ['é', ''], [2, 0, 0, 0, 0xc3, 0xa9, 0, 0, 0, 0]],
] as const)('%s %j', (dtype, values, data, encoded) => {
  const shape = dtype === 'complex64' ? [1] : [values.length];
  const made = tensor(dtype, shape, values);
  expect(Array.from(made.data as ArrayLike<unknown>)).toEqual(data);
  expect(encodeTensor(made)).toEqual(bytes(...encoded));
  expect(decodeTensor(bytes(...encoded), dtype, shape)).toEqual(made);
});

test.each(dtypes.filter((dtype) => intRange(dtype)))(
  'every %s from the smallest to the largest survives (property)',
  (dtype: DType) => {
    const [min, max] = intRange(dtype)!;
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min, max }), { maxLength: 9 }), (values) => {
        const made = tensor(dtype, [values.length], values);
        expect(decodeTensor(encodeTensor(made), dtype, [values.length])).toEqual(made);
        expect(Array.from(made.data as ArrayLike<number | bigint>, BigInt)).toEqual(values);
      }),
    );
  },
);

test('packing is undone by unpacking, from any offset of a buffer (property)', () => {
  for (const [dtype, largest] of [
    ['uint4', 15],
    ['int2', 3],
    ['uint8', 255],
  ] as const) {
    fc.assert(
      fc.property(fc.uint8Array({ max: largest }), (codes) => {
        const shifted = new Uint8Array([9, ...pack(codes, dtype)]).subarray(1);
        expect(unpack(shifted, dtype, codes.length)).toEqual(codes);
      }),
    );
  }
});

test('integers wrap modulo their width when encoded, floats round to the nearest, ties to even', () => {
  expect(Array.from(roundTo('uint8', Float64Array.of(256, -1)))).toEqual([0, 255]);
  expect(Array.from(roundTo('int8', Float64Array.of(128, -129)))).toEqual([-128, 127]);
  expect(Array.from(roundTo('int4', Float64Array.of(8, -9)))).toEqual([-8, 7]);
  expect(Array.from(roundTo('float16', Float64Array.of(2049, 2051)))).toEqual([2048, 2052]);
  expect(Array.from(roundTo('float32', Float64Array.of(16777217)))).toEqual([16777216]);
});

test('bytes that are not aligned, too few or too many', () => {
  const odd = bytes(7, 0, 0, 0x80, 0x3f).subarray(1);
  expect(decodeTensor(odd, 'float32', [1]).data[0]).toBe(1);
  expect(() => decodeTensor(odd, 'float32', [2])).toThrow('core/range');
  expect(() => decodeTensor(odd, 'float16', [1])).toThrow('core/range');
  expect(() => decodeTensor(bytes(1, 2), 'uint4', [2])).toThrow('core/range');
});

test('strings that leave the data, or leave some of it, are refused', () => {
  expect(() => decodeStrings(bytes(5, 0, 0, 0, 65), 1)).toThrow('core/range');
  expect(() => decodeStrings(bytes(1, 0, 0), 1)).toThrow('core/range');
  expect(() => decodeStrings(bytes(1, 0, 0, 0, 65, 66), 1)).toThrow('core/range');
  expect(() => decodeStrings(bytes(255, 255, 255, 255), 1)).toThrow('core/range');
});

test('a size that memory cannot hold is a limit, not a crash', () => {
  expect(() => allocate('float32', 2 ** 60)).toThrow('core/limit');
  expect(() => allocate('string', 2 ** 31)).toThrow('core/limit');
  expect(() => tensor('float32', [2 ** 30, 2 ** 30], [])).toThrow('core/limit');
  expect(() => tensor('float32', [3], [1])).toThrow('core/invalid-shape');
});
