import { isFloat, isInt, type DType } from '../tensor/dtype.js';
import type { Reduction } from '../typing/scatter-update.js';

/** Whether elements of a type can be updated so. */
export function canReduce(dtype: DType, how: Reduction): boolean {
  return how === 'none' || isFloat(dtype) || isInt(dtype);
}
