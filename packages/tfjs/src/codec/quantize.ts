import { encodeSmallFloat } from '@drover/core';

/** The line along which codes are spread: code q stands for q * scale + min. */
export interface AffineRange {
  readonly scale: number;
  readonly min: number;
}

/** The float32 elements of bytes that need not be aligned. */
function float32s(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.slice().buffer);
}

/** Round to the nearest integer, ties to the even one. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/**
 * The range by which tensorflowjs quantises float32 weights (quantization.py, 4.22.0): from the
 * smallest to the largest, moved so that 0 is exact where it lies within. Equal elements have scale
 * 1. Undefined for no elements and for infinite ones or NaN, which no range covers.
 */
export function affineRange(bytes: Uint8Array, dtype: 'uint8' | 'uint16'): AffineRange | undefined {
  let min = Infinity;
  let max = -Infinity;
  for (const x of float32s(bytes)) {
    if (!Number.isFinite(x)) return undefined;
    if (x < min) min = x;
    if (x > max) max = x;
  }
  if (min > max) return undefined;
  if (min === max) return { scale: 1, min };
  const scale = (max - min) / largestCode(dtype);
  return min <= 0 && max >= 0
    ? { scale, min: -roundHalfEven(-min / scale) * scale }
    : { scale, min };
}

function largestCode(dtype: 'uint8' | 'uint16'): number {
  return dtype === 'uint8' ? 0xff : 0xffff;
}

/**
 * Codes of float32 weights, in little-endian bytes. The arithmetic is in float32, as NumPy before
 * 2.0 does it for an array of float32 and a float64 scalar.
 */
export function encodeAffine(
  bytes: Uint8Array,
  dtype: 'uint8' | 'uint16',
  { scale, min }: AffineRange,
): Uint8Array {
  const values = float32s(bytes);
  const codes = dtype === 'uint8' ? new Uint8Array(values.length) : new Uint16Array(values.length);
  const low = Math.fround(min);
  const high = Math.fround(largestCode(dtype) * scale + min);
  const step = Math.fround(scale);
  // All elements are equal: their code is 0, and min is their value.
  if (values.every((x) => x === low)) return new Uint8Array(codes.buffer);
  values.forEach((x, i) => {
    const clipped = Math.min(Math.max(x, low), high);
    codes[i] = roundHalfEven(Math.fround(Math.fround(clipped - low) / step));
  });
  return new Uint8Array(codes.buffer);
}

/** Float32 weights rounded to float16, ties to even; beyond its range they are infinite. */
export function encodeFloat16(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(
    Uint16Array.from(float32s(bytes), (x) => encodeSmallFloat(x, 'float16')).buffer,
  );
}
