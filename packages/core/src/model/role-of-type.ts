import { complexTypes, isFloat, type DType } from '../tensor/dtype.js';
import type { TensorRole } from './tensor-store.js';

/**
 * The role of a tensor in a file that says none: what is trained are floats; step counts and masks
 * are kept beside them.
 */
export const roleOfType = (dtype: DType): TensorRole =>
  isFloat(dtype) || complexTypes.some((each) => each === dtype) ? 'parameter' : 'buffer';
