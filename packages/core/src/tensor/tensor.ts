import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { bytesOf, type DType } from './dtype.js';
import { smallFloatEncoder, smallFloatTable } from './float-bits.js';

/**
 * Elements of a tensor in memory, C order: strings as text, 64-bit integers exact, bool as 0/1
 * bytes, every other number as float64 (complex numbers as pairs of real and imaginary part).
 */
export type Elements =
  Float64Array | BigInt64Array | BigUint64Array | Uint8Array | readonly string[];

/** A tensor in memory: what the reference evaluator computes with. */
export interface Tensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: Elements;
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

/** More texts than this would end the process, not throw. */
const maxStrings = 2 ** 26;

/**
 * Zero elements (empty texts) for `count` elements of a type. Throws `core/limit` when they do not
 * fit in memory.
 */
export function allocate(dtype: DType, count: number): Elements {
  try {
    if (dtype === 'string') return new Array<string>(count <= maxStrings ? count : NaN).fill('');
    if (dtype === 'int64') return new BigInt64Array(count);
    if (dtype === 'uint64') return new BigUint64Array(count);
    if (dtype === 'bool') return new Uint8Array(count);
    return new Float64Array(dtype === 'complex64' || dtype === 'complex128' ? 2 * count : count);
  } catch {
    throw coreDiagnostics.error('limit', {
      message: `${count} elements of ${dtype} do not fit in memory.`,
      origin: { file: '' },
    });
  }
}

/**
 * A tensor from plain numbers, bigints, booleans or strings, in C order. Throws
 * `core/invalid-shape` when the count does not fit.
 */
export function tensor(
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number | bigint | boolean | string>,
): Tensor {
  const data = allocate(dtype, sizeOf(shape));
  if (data.length !== values.length) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `${values.length} values do not fill ${dtype}[${shape.join(', ')}].`,
      origin: { file: '' },
    });
  }
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    for (let i = 0; i < values.length; i++) data[i] = BigInt(values[i]!);
  else if (data instanceof Float64Array || data instanceof Uint8Array)
    for (let i = 0; i < values.length; i++) data[i] = Number(values[i]);
  else return { dtype, shape, data: Array.from(values, String) };
  return { dtype, shape, data };
}

/**
 * The elements as JavaScript numbers (64-bit integers lose precision beyond 2^53). Strings are a
 * programming error and give NaN.
 */
export function toNumbers({ data }: Tensor): Float64Array {
  if (data instanceof Float64Array) return data;
  if (data instanceof Uint8Array) return new Float64Array(data);
  return Float64Array.from(data as ArrayLike<bigint | string>, Number);
}

// prettier-ignore
const views = {
  float64: Float64Array, float32: Float32Array, int32: Int32Array, int16: Int16Array,
  int8: Int8Array, uint32: Uint32Array, uint16: Uint16Array, uint8: Uint8Array,
  complex64: Float32Array, complex128: Float64Array,
} as const;

type Viewed = keyof typeof views;

/**
 * Decodes the canonical bytes (little-endian, C order, 4- and 2-bit types packed from the low
 * bits). Throws `core/range` when the length is wrong.
 */
export function decodeTensor(bytes: Uint8Array, dtype: DType, shape: readonly number[]): Tensor {
  const count = sizeOf(shape);
  if (dtype === 'string') return { dtype, shape, data: decodeStrings(bytes, count) };
  if (bytes.length !== bytesOf(dtype, count)) {
    throw coreDiagnostics.error('range', {
      message: `${bytes.length} bytes are not ${dtype}[${shape.join(', ')}].`,
      origin: { file: '' },
    });
  }
  if (dtype === 'bool') return { dtype, shape, data: Uint8Array.from(bytes, (b) => (b ? 1 : 0)) };
  // Typed-array views need alignment, which stored tensors may not have. Not slice(): in Node the
  // bytes may be a Buffer, whose slice is a view.
  const copied = () => new Uint8Array(bytes).buffer;
  if (dtype === 'int64') return { dtype, shape, data: new BigInt64Array(copied()) };
  if (dtype === 'uint64') return { dtype, shape, data: new BigUint64Array(copied()) };
  if (dtype === 'float64' || dtype === 'complex128')
    return { dtype, shape, data: new Float64Array(copied()) };
  if (dtype in views) {
    const view = views[dtype as Viewed];
    const data = allocate(dtype, count) as Float64Array;
    data.set(
      bytes.byteOffset % view.BYTES_PER_ELEMENT === 0
        ? new view(bytes.buffer as ArrayBuffer, bytes.byteOffset, data.length)
        : new view(copied()),
    );
    return { dtype, shape, data };
  }
  const table = smallFloatTable(dtype);
  const wide = dtype === 'float16' || dtype === 'bfloat16';
  const codes = wide ? new Uint16Array(copied()) : unpack(bytes, dtype, count);
  const data = allocate(dtype, count) as Float64Array;
  if (table) for (let i = 0; i < count; i++) data[i] = table[codes[i]!]!;
  else {
    const width = dtype.endsWith('2') ? 2 : 4;
    const signed = dtype.startsWith('int');
    for (let i = 0; i < count; i++)
      data[i] = signed && codes[i]! >= 1 << (width - 1) ? codes[i]! - (1 << width) : codes[i]!;
  }
  return { dtype, shape, data };
}

function subByteBits(dtype: DType): number {
  return dtype === 'int4' || dtype === 'uint4' || dtype === 'float4e2m1fn'
    ? 4
    : dtype === 'int2' || dtype === 'uint2'
      ? 2
      : 8;
}

/** One code per byte, from packed 4- or 2-bit codes; a copy for 8-bit types. */
export function unpack(bytes: Uint8Array, dtype: DType, count: number): Uint8Array {
  const width = subByteBits(dtype);
  if (width === 8) return new Uint8Array(bytes);
  const perByte = 8 / width;
  const out = new Uint8Array(count);
  for (let i = 0; i < count; i++)
    out[i] = (bytes[Math.floor(i / perByte)]! >> ((i % perByte) * width)) & ((1 << width) - 1);
  return out;
}

/** The inverse of {@link unpack}: unused high bits of the last byte are zero. */
export function pack(codes: Uint8Array, dtype: DType): Uint8Array {
  const width = subByteBits(dtype);
  if (width === 8) return codes;
  const perByte = 8 / width;
  const out = new Uint8Array(Math.ceil(codes.length / perByte));
  for (let i = 0; i < codes.length; i++)
    out[Math.floor(i / perByte)]! |= (codes[i]! & ((1 << width) - 1)) << ((i % perByte) * width);
  return out;
}

/**
 * Encodes a tensor to the canonical bytes; integers wrap modulo their width, floats round to
 * nearest even.
 */
export function encodeTensor({ dtype, data }: Tensor): Uint8Array {
  if (dtype === 'string') return encodeStrings(data as readonly string[]);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return new Uint8Array(data.slice().buffer);
  if (dtype === 'bool') return Uint8Array.from(data as Uint8Array);
  const values = data as Float64Array;
  if (dtype in views) return new Uint8Array(new views[dtype as Viewed](values).slice().buffer);
  const codes =
    dtype === 'float16' || dtype === 'bfloat16'
      ? new Uint16Array(values.length)
      : new Uint8Array(values.length);
  if (smallFloatTable(dtype)) {
    const encode = smallFloatEncoder(dtype);
    for (let i = 0; i < codes.length; i++) codes[i] = encode(values[i]!);
  } else codes.set(values);
  return codes instanceof Uint16Array ? new Uint8Array(codes.buffer) : pack(codes, dtype);
}

/** Strings in bytes: for each a 32-bit length and its UTF-8 text, as TF.js stores them. */
export function encodeStrings(values: readonly string[]): Uint8Array {
  const texts = values.map((value) => new TextEncoder().encode(value));
  const out = new Uint8Array(texts.reduce((sum, text) => sum + 4 + text.length, 0));
  const view = new DataView(out.buffer);
  let at = 0;
  for (const text of texts) {
    view.setUint32(at, text.length, true);
    out.set(text, at + 4);
    at += 4 + text.length;
  }
  return out;
}

/**
 * The inverse of {@link encodeStrings}. Throws `core/range` at the first element that leaves the
 * bytes.
 */
export function decodeStrings(bytes: Uint8Array, count: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: string[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
    if (at + 4 + length > bytes.length)
      throw coreDiagnostics.error('range', {
        message: `String ${i} of ${count} leaves the data.`,
        origin: { file: '', offset: at },
      });
    out.push(new TextDecoder().decode(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  if (at !== bytes.length)
    throw coreDiagnostics.error('range', {
      message: `${bytes.length - at} bytes follow the last string.`,
      origin: { file: '', offset: at },
    });
  return out;
}

/**
 * Rounds numbers to what a type can hold: a float type's nearest value (ties to even), an integer
 * type's wrapped value.
 */
export function roundTo(dtype: DType, values: Float64Array): Float64Array {
  if (dtype === 'float64') return values;
  if (dtype === 'float32') return Float64Array.from(new Float32Array(values));
  return toNumbers(asStored({ dtype, shape: [values.length], data: values }));
}

/** A tensor as it is when it was stored: its floats rounded to the type. */
export function asStored(tensor: Tensor): Tensor {
  return decodeTensor(encodeTensor(tensor), tensor.dtype, tensor.shape);
}
