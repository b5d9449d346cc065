/** Every element type that ONNX knows (IR 13), under NumPy's and ml_dtypes' names. */
// prettier-ignore
export const dtypes = [
  'float64', 'float32', 'float16', 'bfloat16',
  'float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float8e8m0fnu', 'float4e2m1fn',
  'int64', 'int32', 'int16', 'int8', 'int4', 'int2',
  'uint64', 'uint32', 'uint16', 'uint8', 'uint4', 'uint2',
  'bool', 'string', 'complex64', 'complex128',
] as const;

/** Element type of a tensor. */
export type DType = (typeof dtypes)[number];

/** Floats that arithmetic is defined for. */
export const floatTypes = [
  'float64',
  'float32',
  'float16',
  'bfloat16',
] as const satisfies readonly DType[];
/** Signed integers of 8 to 64 bits. */
export const signedIntTypes = [
  'int64',
  'int32',
  'int16',
  'int8',
] as const satisfies readonly DType[];
/** Unsigned integers of 8 to 64 bits. */
export const unsignedIntTypes = [
  'uint64',
  'uint32',
  'uint16',
  'uint8',
] as const satisfies readonly DType[];
/** Integers of 8 to 64 bits. */
export const intTypes = [...signedIntTypes, ...unsignedIntTypes] as const;
/** Floats and integers that arithmetic is defined for. */
export const numberTypes = [...floatTypes, ...intTypes] as const;
/** Complex numbers. */
export const complexTypes = ['complex64', 'complex128'] as const satisfies readonly DType[];

// prettier-ignore
const bits: Readonly<Record<DType, number>> = {
  float64: 64, float32: 32, float16: 16, bfloat16: 16,
  float8e4m3fn: 8, float8e4m3fnuz: 8, float8e5m2: 8, float8e5m2fnuz: 8, float8e8m0fnu: 8,
  float4e2m1fn: 4, int64: 64, int32: 32, int16: 16, int8: 8, int4: 4, int2: 2, uint64: 64,
  uint32: 32, uint16: 16, uint8: 8, uint4: 4, uint2: 2, bool: 8, string: 0, complex64: 64,
  complex128: 128,
};

/** Bits of one element; 0 for strings, which have no fixed size. */
export function bitsOf(dtype: DType): number {
  return bits[dtype];
}

/**
 * Bytes of `count` elements in the canonical encoding (4- and 2-bit types are packed, the last byte
 * is padded).
 */
export function bytesOf(dtype: DType, count: number): number {
  return Math.ceil((bits[dtype] * count) / 8);
}

/** float64, float32, float16, bfloat16 and the 8- and 4-bit floats. */
export function isFloat(dtype: DType): boolean {
  return dtype.startsWith('float') || dtype === 'bfloat16';
}

/** Signed and unsigned integers; not bool. */
export function isInt(dtype: DType): boolean {
  return dtype.startsWith('int') || dtype.startsWith('uint');
}

/** Smallest and largest value of an integer type, inclusive. */
export function intRange(dtype: DType): readonly [bigint, bigint] | undefined {
  if (!isInt(dtype)) return undefined;
  const width = BigInt(bits[dtype]);
  return dtype.startsWith('u')
    ? [0n, (1n << width) - 1n]
    : [-(1n << (width - 1n)), (1n << (width - 1n)) - 1n];
}

/** Whether every value of the float type `narrow` is one of the float type `wide`. */
export function isWider(wide: DType, narrow: DType): boolean {
  if (wide === narrow || wide === 'float64') return true;
  return wide === 'float32'
    ? narrow !== 'float64'
    : bitsOf(wide) === 16 && bitsOf(narrow) <= 8 && narrow !== 'float8e8m0fnu';
}
