import type { DType } from '@drover/core';

/** mshadow's type flags, by their number. */
export const typeFlags = [
  'float32',
  'float64',
  'float16',
  'uint8',
  'int32',
  'int8',
  'int64',
  'bool',
  'int16',
  'uint16',
  'uint32',
  'uint64',
  'bfloat16',
] as const satisfies readonly DType[];

/** Element types that MXNet has. */
export type MxnetDType = (typeof typeFlags)[number];

/**
 * The number of an element type in files and in `__dtype__`; undefined if MXNet has no such type.
 */
export function typeFlagOf(dtype: DType): number | undefined {
  const flag = (typeFlags as readonly DType[]).indexOf(dtype);
  return flag < 0 ? undefined : flag;
}

/** Types that files have a number for, and that 1.9.1 does not load. */
const notLoaded: ReadonlySet<DType> = new Set(['int16', 'uint16', 'uint32', 'uint64']);

/** Whether MXNet 1.9.1 loads arrays of an element type. */
export const isLoaded = (dtype: DType): boolean =>
  typeFlagOf(dtype) !== undefined && !notLoaded.has(dtype);
