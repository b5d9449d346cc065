import type { DType } from './dtype.js';

/** A binary floating-point format of at most 16 bits: sign, exponent, mantissa, and what the top codes mean. */
interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /** `ieee`: Inf and NaN in the top exponent; `fn`: no Inf, NaN is all ones; `fnuz`: no Inf, no -0, NaN is the code of -0; `finite`: neither. */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'finite';
}

/** Formats as defined by IEEE 754-2019 (binary16), the OCP OFP8 and MX specifications, and ml_dtypes for the rest. */
const formats: Partial<Record<DType, SmallFloat>> = {
  float16: { exponentBits: 5, mantissaBits: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponentBits: 8, mantissaBits: 7, bias: 127, special: 'ieee' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'fnuz' },
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'fnuz' },
  float4e2m1fn: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'finite' },
};

function decodeOne(code: number, { exponentBits, mantissaBits, bias, special }: SmallFloat): number {
  const width = 1 + exponentBits + mantissaBits;
  const sign = code >> (width - 1) ? -1 : 1;
  const exponent = (code >> mantissaBits) & ((1 << exponentBits) - 1);
  const mantissa = code & ((1 << mantissaBits) - 1);
  const top = (1 << exponentBits) - 1;
  if (special === 'ieee' && exponent === top) return mantissa ? NaN : sign * Infinity;
  if (special === 'fn' && (code & ((1 << (width - 1)) - 1)) === (1 << (width - 1)) - 1) return NaN;
  if (special === 'fnuz' && code === 1 << (width - 1)) return NaN;
  const scale = 2 ** (Math.max(exponent, 1) - bias - mantissaBits);
  return sign * ((exponent ? 1 << mantissaBits : 0) + mantissa) * scale;
}

const tables = new Map<DType, Float64Array>();

/** The values of all codes of a format of at most 16 bits; undefined for other types. `float8e8m0fnu` is 2^(code-127), 255 is NaN (OCP MX). */
export function smallFloatTable(dtype: DType): Float64Array | undefined {
  const known = tables.get(dtype);
  if (known) return known;
  const format = formats[dtype];
  if (!format && dtype !== 'float8e8m0fnu') return undefined;
  const size = format ? 1 << (1 + format.exponentBits + format.mantissaBits) : 256;
  const table = Float64Array.from({ length: size }, (_, code) => (format ? decodeOne(code, format) : code === 255 ? NaN : 2 ** (code - 127)));
  tables.set(dtype, table);
  return table;
}

/** The code of the value nearest to `x`, ties to even; beyond the largest value it is Inf where the format has one, else NaN or the largest. */
export function encodeSmallFloat(x: number, dtype: DType): number {
  const format = formats[dtype];
  if (!format) return Number.isNaN(x) ? 255 : Math.min(254, Math.max(0, Math.round(Math.log2(x)) + 127));
  const { exponentBits, mantissaBits, bias, special } = format;
  const signBit = 1 << (exponentBits + mantissaBits);
  const nan = special === 'fnuz' ? signBit : special === 'fn' ? signBit - 1 : special === 'ieee' ? (((1 << exponentBits) - 1) << mantissaBits) | (1 << (mantissaBits - 1)) : 0;
  if (Number.isNaN(x)) return nan;
  const negative = x < 0 || Object.is(x, -0);
  const sign = negative && !(special === 'fnuz' && x === 0) ? signBit : 0;
  const magnitude = Math.abs(x);
  const largest = special === 'ieee' ? (((1 << exponentBits) - 1) << mantissaBits) - 1 : special === 'fn' ? signBit - 2 : signBit - 1;
  const overflow = special === 'ieee' ? sign | (largest + 1) : special === 'finite' ? sign | largest : nan | (special === 'fn' ? sign : 0);
  if (magnitude === Infinity) return overflow;
  let exponent = Math.max(magnitude === 0 ? 1 - bias : Math.floor(Math.log2(magnitude)), 1 - bias);
  if (2 ** exponent > magnitude && exponent > 1 - bias) exponent--;
  const scaled = magnitude / 2 ** (exponent - mantissaBits);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const units = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // A mantissa that rounds up to the next power of two carries into the exponent by plain addition, and a subnormal has exponent code 0.
  const code = units >= 1 << mantissaBits ? ((exponent + bias) << mantissaBits) + units - (1 << mantissaBits) : units;
  if (code > largest) return overflow;
  return code === 0 && special === 'fnuz' ? 0 : sign | code;
}
