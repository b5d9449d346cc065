import { isFloat, isInt, type DType } from '@drover/core';

/** The type in which TF.js computes elements of a type: its only numbers are float32 and int32. */
export function computedType(dtype: DType): DType | undefined {
  if (dtype === 'bool' || dtype === 'string' || dtype === 'complex64') return dtype;
  if (isFloat(dtype)) return 'float32';
  return isInt(dtype) ? 'int32' : undefined;
}
