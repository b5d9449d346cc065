import { bitsOf, type DType } from '@drover/core';

/** An element type of the format. */
interface ElementType {
  readonly bits: number;
  /** The same in Drover, where it has it. */
  readonly dtype: DType | undefined;
}

const same = (dtype: DType): ElementType => ({ bits: bitsOf(dtype), dtype });
const unknown = (bits: number): ElementType => ({ bits, dtype: undefined });

/** Name of an element type in files. */
export type SafetensorsDType =
  | 'BOOL'
  | 'F4'
  | 'F6_E2M3'
  | 'F6_E3M2'
  | 'U8'
  | 'I8'
  | 'F8_E5M2'
  | 'F8_E4M3'
  | 'F8_E8M0'
  | 'F8_E4M3FNUZ'
  | 'F8_E5M2FNUZ'
  | 'I16'
  | 'U16'
  | 'F16'
  | 'BF16'
  | 'I32'
  | 'U32'
  | 'F32'
  | 'C64'
  | 'F64'
  | 'I64'
  | 'U64';

/** Element types by their names in files, from the least aligned to the most, as in 0.8.0. */
const types: Readonly<Record<SafetensorsDType, ElementType>> = {
  BOOL: same('bool'),
  F4: same('float4e2m1fn'),
  F6_E2M3: unknown(6),
  F6_E3M2: unknown(6),
  U8: same('uint8'),
  I8: same('int8'),
  F8_E5M2: same('float8e5m2'),
  F8_E4M3: same('float8e4m3fn'),
  F8_E8M0: same('float8e8m0fnu'),
  F8_E4M3FNUZ: same('float8e4m3fnuz'),
  F8_E5M2FNUZ: same('float8e5m2fnuz'),
  I16: same('int16'),
  U16: same('uint16'),
  F16: same('float16'),
  BF16: same('bfloat16'),
  I32: same('int32'),
  U32: same('uint32'),
  F32: same('float32'),
  C64: same('complex64'),
  F64: same('float64'),
  I64: same('int64'),
  U64: same('uint64'),
};

const byName: ReadonlyMap<string, ElementType> = new Map(Object.entries(types));
const names = Object.keys(types) as readonly SafetensorsDType[];
const byDType = new Map(names.map((name) => [types[name].dtype, name]));
byDType.delete(undefined);

/** Bits of an element; undefined for a type that the format does not have. */
export const elementBits = (name: string): number | undefined => byName.get(name)?.bits;

/** The element type that a name of the format stands for; undefined where Drover has none. */
export const dtypeOf = (name: string): DType | undefined => byName.get(name)?.dtype;

/** The name of an element type in files; undefined for one that the format does not have. */
export const nameOf = (dtype: DType): SafetensorsDType | undefined => byDType.get(dtype);

/** The place of a type in the order of alignment, by which the library sorts. */
export const alignmentRank = (name: SafetensorsDType): number => names.indexOf(name);
