import type { DType } from '@drover/core';
import { record, uint } from './record.js';

/** A datatype message (HDF5 File Format Specification, IV.A.2.d). */
const message = (
  version: number,
  type: number,
  bits: readonly [number, number, number],
  size: number,
  ...properties: readonly (Uint8Array | readonly number[])[]
): Uint8Array => record([(version << 4) | type, ...bits], uint(size, 4), ...properties);

const integer = (size: number, isSigned: boolean): Uint8Array =>
  message(1, 0, [isSigned ? 8 : 0, 0, 0], size, uint(0, 2), uint(8 * size, 2));

/** IEEE 754: the sign, then the exponent, then the fraction with its first bit implied. */
const float = (size: number, exponentBits: number): Uint8Array => {
  const fractionBits = 8 * size - 1 - exponentBits;
  return message(
    1,
    1,
    [0x20, 8 * size - 1, 0],
    size,
    uint(0, 2),
    uint(8 * size, 2),
    [fractionBits, exponentBits, 0, fractionBits],
    uint(2 ** (exponentBits - 1) - 1, 4),
  );
};

const named = (text: string): Uint8Array => new TextEncoder().encode(`${text}\0`);

/** As h5py writes numpy.bool. */
const bool = message(3, 8, [2, 0, 0], 1, integer(1, true), named('FALSE'), named('TRUE'), [0, 1]);

/** As h5py writes complex numbers. */
const complex = (half: Uint8Array, size: number): Uint8Array =>
  message(3, 6, [2, 0, 0], 2 * size, named('r'), [0], half, named('i'), [size], half);

/** Bytes that the attribute `dtype` of the dataset explains. */
const opaque = (size: number): Uint8Array => message(1, 5, [0, 0, 0], size);

const datatypes: ReadonlyMap<DType, Uint8Array> = new Map<DType, Uint8Array>([
  ['float64', float(8, 11)],
  ['float32', float(4, 8)],
  ['float16', float(2, 5)],
  ['bfloat16', opaque(2)],
  ['int64', integer(8, true)],
  ['int32', integer(4, true)],
  ['int16', integer(2, true)],
  ['int8', integer(1, true)],
  ['uint64', integer(8, false)],
  ['uint32', integer(4, false)],
  ['uint16', integer(2, false)],
  ['uint8', integer(1, false)],
  ['bool', bool],
  ['complex64', complex(float(4, 8), 4)],
  ['complex128', complex(float(8, 11), 8)],
]);

/** The datatype of elements; undefined for a type that no form in HDF5 is agreed on for. */
export const datatypeOf = (dtype: DType): Uint8Array | undefined => datatypes.get(dtype);

/** Text of any length in UTF-8, as h5py writes it. */
export const textType: Uint8Array = message(1, 9, [1, 1, 0], 16, integer(1, false));

/** A dataspace message: the shape; of a scalar it is empty. */
export const dataspace = (shape: readonly number[]): Uint8Array =>
  record([2, shape.length, 0, shape.length === 0 ? 0 : 1], ...shape.map((dim) => uint(dim, 8)));
