import { encodeSmallFloat, inMultiples, type ByteEncoding } from '@drover/core/format';

/** The line along which codes are spread: code q stands for q * scale + min. */
export interface AffineRange {
  readonly scale: number;
  readonly min: number;
}

/** The float32 elements of pieces of bytes that need not be aligned. */
async function* float32s(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Float32Array> {
  for await (const piece of inMultiples(pieces, 4))
    yield new Float32Array(new Uint8Array(piece).buffer);
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
export async function affineRange(
  pieces: AsyncIterable<Uint8Array>,
  dtype: 'uint8' | 'uint16',
): Promise<AffineRange | undefined> {
  let min = Infinity;
  let max = -Infinity;
  for await (const values of float32s(pieces)) {
    for (const x of values) {
      if (!Number.isFinite(x)) return undefined;
      if (x < min) min = x;
      if (x > max) max = x;
    }
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
export function affineCodes(dtype: 'uint8' | 'uint16', { scale, min }: AffineRange): ByteEncoding {
  const low = Math.fround(min);
  const high = Math.fround(largestCode(dtype) * scale + min);
  const step = Math.fround(scale);
  const code = (x: number) => {
    const clipped = Math.min(Math.max(x, low), high);
    return roundHalfEven(Math.fround(Math.fround(clipped - low) / step));
  };
  return {
    name: `${dtype} codes of ${scale} and ${min}`,
    async *decode(elements) {
      for await (const values of float32s(elements)) {
        const { length } = values;
        const codes = dtype === 'uint8' ? new Uint8Array(length) : new Uint16Array(length);
        values.forEach((x, i) => (codes[i] = code(x)));
        yield new Uint8Array(codes.buffer);
      }
    },
  };
}

/** Float32 weights rounded to float16, ties to even; beyond its range they are infinite. */
export const float16Codes: ByteEncoding = {
  name: 'float16 of float32',
  async *decode(elements) {
    for await (const values of float32s(elements))
      yield new Uint8Array(Uint16Array.from(values, (x) => encodeSmallFloat(x, 'float16')).buffer);
  },
};
