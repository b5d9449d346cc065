import { isFloat, isInt, type DType } from './dtype.js';
import { allocate, asStored, sizeOf, toNumbers, type Tensor } from './tensor.js';

/**
 * Elements converted to another type: to floats to nearest; to integers truncated and wrapped; to
 * bool whether not zero.
 */
export function castTensor(tensor: Tensor, dtype: DType): Tensor {
  const { data, shape } = tensor;
  if (dtype === tensor.dtype) return tensor;
  const out = allocate(dtype, sizeOf(shape));
  if (out instanceof BigInt64Array || out instanceof BigUint64Array) {
    const integer = (x: number | bigint) =>
      typeof x === 'bigint' ? x : Number.isFinite(x) ? BigInt(Math.trunc(x)) : 0n;
    for (let i = 0; i < out.length; i++)
      out[i] = integer((data as Float64Array | BigInt64Array)[i]!);
    return { dtype, shape, data: out };
  }
  // The low bits of 64-bit integers would be lost in float64.
  const isWide = isInt(dtype) && (data instanceof BigInt64Array || data instanceof BigUint64Array);
  const values = isWide
    ? Float64Array.from(data, (x) => Number(BigInt.asUintN(32, x)))
    : toNumbers(tensor);
  if (dtype === 'bool')
    return { dtype, shape, data: Uint8Array.from(values, (x) => (x !== 0 ? 1 : 0)) };
  const stored = isFloat(dtype) ? values : values.map(Math.trunc);
  return asStored({ dtype, shape, data: stored });
}
