import type { DType } from './dtype.js';

/**
 * A binary floating-point format of at most 16 bits: sign, exponent, mantissa, and what the top
 * codes mean.
 */
interface SmallFloat {
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  /**
   * `ieee`: Inf and NaN in the top exponent; `fn`: no Inf, NaN is all ones; `fnuz`: no Inf, no -0,
   * NaN is the code of -0; `finite`: neither.
   */
  readonly special: 'ieee' | 'fn' | 'fnuz' | 'finite';
}

/**
 * Formats as defined by IEEE 754-2019 (binary16), the OCP OFP8 and MX specifications, and ml_dtypes
 * for the rest.
 */
const formats: Partial<Record<DType, SmallFloat>> = {
  float16: { exponentBits: 5, mantissaBits: 10, bias: 15, special: 'ieee' },
  bfloat16: { exponentBits: 8, mantissaBits: 7, bias: 127, special: 'ieee' },
  float8e5m2: { exponentBits: 5, mantissaBits: 2, bias: 15, special: 'ieee' },
  float8e5m2fnuz: { exponentBits: 5, mantissaBits: 2, bias: 16, special: 'fnuz' },
  float8e4m3fn: { exponentBits: 4, mantissaBits: 3, bias: 7, special: 'fn' },
  float8e4m3fnuz: { exponentBits: 4, mantissaBits: 3, bias: 8, special: 'fnuz' },
  float4e2m1fn: { exponentBits: 2, mantissaBits: 1, bias: 1, special: 'finite' },
};

function decodeOne(
  code: number,
  { exponentBits, mantissaBits, bias, special }: SmallFloat,
): number {
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

/**
 * The values of all codes of a format of at most 16 bits; undefined for other types.
 * `float8e8m0fnu` is 2^(code-127), 255 is NaN (OCP MX).
 */
export function smallFloatTable(dtype: DType): Float64Array | undefined {
  const known = tables.get(dtype);
  if (known) return known;
  const format = formats[dtype];
  if (!format && dtype !== 'float8e8m0fnu') return undefined;
  const size = format ? 1 << (1 + format.exponentBits + format.mantissaBits) : 256;
  const table = Float64Array.from({ length: size }, (_, code) =>
    format ? decodeOne(code, format) : code === 255 ? NaN : 2 ** (code - 127),
  );
  tables.set(dtype, table);
  return table;
}

const encoders = new Map<DType, (x: number) => number>();

/**
 * The code of the value nearest to `x`, ties to even; beyond the largest value it is Inf where the
 * format has one, else NaN or the largest.
 */
export function encodeSmallFloat(x: number, dtype: DType): number {
  return smallFloatEncoder(dtype)(x);
}

/** {@link encodeSmallFloat} for many numbers of one type. */
export function smallFloatEncoder(dtype: DType): (x: number) => number {
  const known = encoders.get(dtype);
  if (known) return known;
  const format = formats[dtype];
  const encoder = format ? encoderOf(format) : encodeExponent;
  encoders.set(dtype, encoder);
  return encoder;
}

const double = new Float64Array(1);
const words = new Int32Array(double.buffer);
const high = new Uint8Array(Int32Array.of(1).buffer)[0] === 1 ? 1 : 0;

function encoderOf({
  exponentBits,
  mantissaBits,
  bias,
  special,
}: SmallFloat): (x: number) => number {
  const signBit = 1 << (exponentBits + mantissaBits);
  const top = ((1 << exponentBits) - 1) << mantissaBits;
  const nan = {
    ieee: top | (1 << (mantissaBits - 1)),
    fn: signBit - 1,
    fnuz: signBit,
    finite: signBit,
  }[special];
  const largest = { ieee: top - 1, fn: signBit - 2, fnuz: signBit - 1, finite: signBit - 1 }[
    special
  ];
  const overflow = { ieee: top, fn: nan, fnuz: nan, finite: largest }[special];
  const lowest = 1 - bias;
  const unit = 1 << mantissaBits;
  // Numbers of one exponent, in units of the last place: powers of two, so the products are exact.
  const perUnit = Float64Array.from(
    { length: 2 ** exponentBits + 1 },
    (_, i) => 2 ** (mantissaBits - lowest - i),
  );
  return (x) => {
    if (x !== x) return nan;
    const magnitude = Math.abs(x);
    const isNegative = x < 0 || Object.is(x, -0);
    double[0] = magnitude;
    const exponent = Math.max((words[high]! >>> 20) - 1023, lowest);
    if (exponent - lowest >= perUnit.length)
      return isNegative && special !== 'fnuz' ? signBit | overflow : overflow;
    const scaled = magnitude * perUnit[exponent - lowest]!;
    const floor = Math.floor(scaled);
    const rest = scaled - floor;
    const units = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
    // A mantissa that rounds up to the next power of two carries into the exponent by plain
    // addition, and a subnormal has exponent code 0.
    const code = units >= unit ? ((exponent + bias) << mantissaBits) + units - unit : units;
    const within = code > largest ? overflow : code;
    // In `fnuz` types the code of -0 is NaN's.
    return isNegative && !(special === 'fnuz' && (within === 0 || within === nan))
      ? signBit | within
      : within;
  };
}

/**
 * The code of the power of two nearest to `x`, ties up as in ml_dtypes; 0 for 0 as in ONNX, 255
 * (NaN) for what is negative or beyond 2^127.
 */
function encodeExponent(x: number): number {
  if (!(x >= 0 && x < 1.5 * 2 ** 127)) return 255;
  if (x <= 2 ** -127) return 0;
  let code = Math.floor(Math.log2(x)) + 127;
  // log2 of a number just below a power of two is rounded to that power.
  if (2 ** (code - 127) > x) code--;
  return x >= 1.5 * 2 ** (code - 127) ? code + 1 : code;
}
