import fc from 'fast-check';
import type { DType } from './dtype.js';
import { encodeSmallFloat, smallFloatTable } from './float-bits.js';

// IEEE 754-2019 binary16; bfloat16 as the high half of binary32.
const binary16: readonly (readonly [number, number])[] = [
  [0x0000, 0],
  [0x8000, -0],
  [0x0001, 2 ** -24],
  [0x03ff, 1023 * 2 ** -24],
  [0x0400, 2 ** -14],
  [0x3555, 0.333251953125],
  [0x3c00, 1],
  [0x3c01, 1 + 2 ** -10],
  [0xc000, -2],
  [0x7bff, 65504],
  [0x7c00, Infinity],
  [0xfc00, -Infinity],
];
// OCP 8-bit Floating Point Specification (OFP8) 1.0, table 2.
const e4m3: readonly (readonly [number, number])[] = [
  [0x7e, 448],
  [0xfe, -448],
  [0x08, 2 ** -6],
  [0x07, 0.875 * 2 ** -6],
  [0x01, 2 ** -9],
  [0x80, -0],
];
const e5m2: readonly (readonly [number, number])[] = [
  [0x7b, 57344],
  [0x04, 2 ** -14],
  [0x03, 0.75 * 2 ** -14],
  [0x01, 2 ** -16],
  [0x7c, Infinity],
  [0xfc, -Infinity],
];
// Graphcore, AMD, Qualcomm 2022 (arXiv:2206.02915), as ONNX has them.
const e4m3fnuz: readonly (readonly [number, number])[] = [
  [0x7f, 240],
  [0x08, 2 ** -7],
  [0x01, 2 ** -10],
];
const e5m2fnuz: readonly (readonly [number, number])[] = [
  [0x7f, 57344],
  [0x04, 2 ** -15],
  [0x01, 2 ** -17],
];
// OCP Microscaling Formats (MX) 1.0, sections 5.3.3 and 5.4.1.
const e2m1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6].map((value, code) => [code, value] as const);
const e8m0: readonly (readonly [number, number])[] = [
  [0x00, 2 ** -127],
  [0x7f, 1],
  [0xfe, 2 ** 127],
];

const published = {
  float16: binary16,
  float8e4m3fn: e4m3,
  float8e5m2: e5m2,
  float8e4m3fnuz: e4m3fnuz,
  float8e5m2fnuz: e5m2fnuz,
  float4e2m1fn: e2m1,
  float8e8m0fnu: e8m0,
} as const satisfies Partial<Record<DType, unknown>>;

test.each(Object.entries(published))(
  '%s has the published codes, in both directions',
  (dtype, pairs) => {
    const table = smallFloatTable(dtype as DType)!;
    for (const [code, value] of pairs) {
      expect(table[code]).toBe(value);
      expect(encodeSmallFloat(value, dtype as DType)).toBe(code);
    }
  },
);

test.each([
  ['float16', [0x7c01, 0x7e00, 0xffff]],
  ['float8e4m3fn', [0x7f, 0xff]],
  ['float8e5m2', [0x7d, 0x7e, 0xff]],
  ['float8e4m3fnuz', [0x80]],
  ['float8e5m2fnuz', [0x80]],
  ['float8e8m0fnu', [0xff]],
] as const)('%s has its NaNs where the standard has them', (dtype, codes) => {
  for (const code of codes) expect(smallFloatTable(dtype)![code]).toBeNaN();
  expect(smallFloatTable(dtype)![encodeSmallFloat(NaN, dtype)]).toBeNaN();
});

test('bfloat16 is the high half of binary32', () => {
  const table = smallFloatTable('bfloat16')!;
  const halves = new Float32Array(
    Uint32Array.from({ length: 65536 }, (_, code) => code * 65536).buffer,
  );
  expect(table.every((value, code) => Object.is(value, halves[code]))).toBe(true);
});

test.each([...Object.keys(published), 'bfloat16'] as DType[])(
  'every value of %s encodes to its own code',
  (dtype) => {
    const table = smallFloatTable(dtype)!;
    table.forEach((value, code) => {
      if (!Number.isNaN(value) && encodeSmallFloat(value, dtype) !== code)
        throw new RangeError(`${value} encodes to ${encodeSmallFloat(value, dtype)}, not ${code}`);
    });
  },
);

test.each([
  [2049, 2048],
  [2051, 2052],
  [65519.99, 65504],
  [65520, Infinity],
  [-65520, -Infinity],
  [2 ** -25, 0],
  [2 ** -25 * 1.0001, 2 ** -24],
  [3 * 2 ** -25, 2 ** -23],
  [1023.5 * 2 ** -24, 2 ** -14],
])('%d rounds to %d in binary16', (x, expected) => {
  expect(smallFloatTable('float16')![encodeSmallFloat(x, 'float16')]).toBe(expected);
});

test('what is beyond the largest value is what the format has for it', () => {
  const decoded = (x: number, dtype: DType) => smallFloatTable(dtype)![encodeSmallFloat(x, dtype)];
  // 464 lies between 448 and the place of 480, which is NaN: the tie goes to the even code.
  expect(decoded(464, 'float8e4m3fn')).toBe(448);
  expect(decoded(464.1, 'float8e4m3fn')).toBeNaN();
  expect(decoded(Infinity, 'float8e4m3fnuz')).toBeNaN();
  expect(decoded(61440, 'float8e5m2')).toBe(Infinity);
  expect(decoded(-100, 'float4e2m1fn')).toBe(-6);
  expect(decoded(-1, 'float8e8m0fnu')).toBeNaN();
});

test.each([
  'float16',
  'bfloat16',
  'float8e4m3fn',
  'float8e5m2',
  'float8e4m3fnuz',
  'float8e5m2fnuz',
  'float4e2m1fn',
  'float8e8m0fnu',
] as DType[])(
  'no value of %s is nearer than the one that a number is encoded to (property)',
  (dtype) => {
    const table = smallFloatTable(dtype)!;
    const finite = [...table].filter(Number.isFinite);
    const [low, high] = [Math.min(...finite), Math.max(...finite)];
    const range =
      dtype === 'float8e8m0fnu'
        ? fc.double({ min: 2 ** -127, max: 2 ** 20 })
        : fc.double({ min: Math.max(low, -1e6), max: Math.min(high, 1e6), noNaN: true });
    fc.assert(
      fc.property(range, (x) => {
        fc.pre(!Number.isNaN(x));
        const chosen = Math.abs(table[encodeSmallFloat(x, dtype)]! - x);
        expect(finite.every((value) => Math.abs(value - x) >= chosen)).toBe(true);
      }),
      { numRuns: 100 },
    );
  },
);
