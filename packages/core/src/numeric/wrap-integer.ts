import { bitsOf, isInt } from '../tensor/dtype.js';
import type { Tensor } from '../tensor/tensor.js';

/**
 * Wraps elements of an integer type modulo its width, as fixed-width arithmetic does; other types
 * pass. 64-bit elements wrap by their storage.
 */
export function wrapInteger(tensor: Tensor): Tensor {
  const { dtype, data } = tensor;
  if (!isInt(dtype) || !(data instanceof Float64Array)) return tensor;
  const width = 2 ** bitsOf(dtype);
  const low = dtype.startsWith('u') ? 0 : -width / 2;
  const wrapped = data.map((x) => {
    const m = (Math.trunc(x) - low) % width;
    return (m < 0 ? m + width : m) + low;
  });
  return { ...tensor, data: wrapped };
}
