import type { DType } from '../tensor/dtype.js';
import { encodeSmallFloat } from '../tensor/float-bits.js';

/** A float type with a defined unit in the last place. */
export type Precision = 'float64' | 'float32' | 'float16' | 'bfloat16';

/**
 * Float types whose spacing is known here: bits of precision with the hidden one, and the smallest
 * exponent of a normal number.
 */
const formats: Readonly<
  Record<Precision, { readonly precision: number; readonly minExponent: number }>
> = {
  float64: { precision: 53, minExponent: -1022 },
  float32: { precision: 24, minExponent: -126 },
  float16: { precision: 11, minExponent: -14 },
  bfloat16: { precision: 8, minExponent: -126 },
};

/**
 * The dtype as a {@link Precision}, a complex number's being that of its parts; undefined for every
 * other type.
 */
export function precisionOf(dtype: DType): Precision | undefined {
  if (dtype === 'complex64') return 'float32';
  if (dtype === 'complex128') return 'float64';
  return Object.hasOwn(formats, dtype) ? (dtype as Precision) : undefined;
}

/** Distance from 1 to the next number of a type. */
export function epsilonOf(dtype: Precision): number {
  return 2 ** (1 - formats[dtype].precision);
}

/** The one of two with fewer bits of precision. */
export function coarser(a: Precision, b: Precision): Precision {
  return formats[a].precision <= formats[b].precision ? a : b;
}

/**
 * Distance from a finite `value` to the next one away from zero in a type: the spacing of its
 * binade, and of subnormals below them.
 */
export function ulpAt(value: number, dtype: Precision): number {
  const { precision, minExponent } = formats[dtype];
  return 2 ** (Math.max(exponentOf(value), minExponent) - precision + 1);
}

const words = new DataView(new ArrayBuffer(8));

/**
 * floor(log2(|value|)), exact; for zero and binary64 subnormals it is below every smallest
 * exponent.
 */
function exponentOf(value: number): number {
  words.setFloat64(0, value);
  return ((words.getUint32(0) >>> 20) & 0x7ff) - 1023;
}

/**
 * How many representable values of a type lie between two numbers, one end counted; both are
 * rounded to the type first. Zeros are one value. Two NaNs are 0 apart, a NaN and a number
 * infinitely far, and so are an infinity and anything else. Exact below 2^53.
 */
export function ulpDistance(a: number, b: number, dtype: Precision): number {
  if (Object.is(a, b) || a === b || (a !== a && b !== b)) return 0;
  const [signA, highA, lowA] = ordinal(a, dtype);
  const [signB, highB, lowB] = ordinal(b, dtype);
  if (highA === highB && lowA === lowB && (signA === signB || (highA === 0 && lowA === 0)))
    return 0;
  if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
  return signA === signB
    ? Math.abs((highA - highB) * 2 ** 32 + (lowA - lowB))
    : (highA + highB) * 2 ** 32 + (lowA + lowB);
}

/** Sign, and position from zero in two words of 32 bits. */
function ordinal(value: number, dtype: Precision): readonly [boolean, number, number] {
  if (dtype === 'float64') {
    words.setFloat64(0, value);
    return [words.getUint32(0) >>> 31 === 1, words.getUint32(0) & 0x7fffffff, words.getUint32(4)];
  }
  if (dtype === 'float32') {
    words.setFloat32(0, value);
    return [words.getUint32(0) >>> 31 === 1, 0, words.getUint32(0) & 0x7fffffff];
  }
  const code = encodeSmallFloat(value, dtype);
  return [code >>> 15 === 1, 0, code & 0x7fff];
}
