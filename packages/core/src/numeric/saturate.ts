import { bitsOf, intRange, isFloat, type DType } from '../tensor/dtype.js';
import { smallFloatTable } from '../tensor/float-bits.js';
import { roundTo } from '../tensor/tensor.js';

/** The largest finite value of a float type of at most 16 bits. */
function largestOf(dtype: DType): number {
  return smallFloatTable(dtype)!.reduce(
    (largest, value) => (Number.isFinite(value) && value > largest ? value : largest),
    0,
  );
}

/**
 * Float values rounded to nearest, ties to even; in types of 8 bits and fewer, what is beyond the
 * largest value becomes it. NaN stays.
 */
export function roundSaturated(values: Float64Array, dtype: DType): Float64Array {
  if (bitsOf(dtype) > 8) return roundTo(dtype, values);
  const largest = largestOf(dtype);
  return roundTo(
    dtype,
    values.map((x) => Math.min(Math.max(x, -largest), largest)),
  );
}

/**
 * Integer values held within the range of an integer type of at most 32 bits, or floats rounded
 * and, if asked for, held within that of a float type.
 */
export function quantized(values: Float64Array, dtype: DType, saturate: boolean): Float64Array {
  if (isFloat(dtype)) return saturate ? roundSaturated(values, dtype) : roundTo(dtype, values);
  const [low, high] = intRange(dtype)!.map(Number) as [number, number];
  return values.map((x) => Math.min(Math.max(x, low), high));
}
