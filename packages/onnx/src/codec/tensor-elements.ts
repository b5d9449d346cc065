import { bitsOf, bytesOf, intRange, type DroverError, type DType } from '@drover/core';
import type { Int64 } from '../schema/message.js';
import type { TensorProto } from '../schema/onnx.js';

/** The fields of a TensorProto that hold elements as numbers. */
export type NumberField = keyof TensorProto &
  ('floatData' | 'doubleData' | 'int32Data' | 'int64Data' | 'uint64Data');

/** What the caller makes of a fault: an error that names the tensor. */
export type Fault = (kind: 'tensor-size' | 'tensor-data', why: string) => DroverError;

/** The field in which elements of a type stand when they are not in raw_data. */
export function numberField(dtype: DType): NumberField {
  if (dtype === 'float32' || dtype === 'complex64') return 'floatData';
  if (dtype === 'float64' || dtype === 'complex128') return 'doubleData';
  if (dtype === 'int64') return 'int64Data';
  return dtype === 'uint32' || dtype === 'uint64' ? 'uint64Data' : 'int32Data';
}

/**
 * Numbers that hold `count` elements: each one element, but for 4- and 2-bit types each one byte.
 */
export function numbersOf(dtype: DType, count: number): number {
  return bitsOf(dtype) < 8 ? bytesOf(dtype, count) : count;
}

/**
 * Takes the integers of a field in turn, as their low and high 32 bits, into the canonical bytes.
 * Values that the type does not hold are a fault.
 */
class ElementBytes {
  readonly bytes: Uint8Array;
  readonly #put: (index: number, lo: number, hi: number) => boolean;
  #count = 0;

  constructor(
    dtype: DType,
    readonly size: number,
    readonly fault: Fault,
  ) {
    const bits = bitsOf(dtype);
    const buffer = new ArrayBuffer(size * Math.max(1, bits / 8));
    this.bytes = new Uint8Array(buffer);
    this.#put = store(dtype, bits, buffer);
  }

  add(lo: number, hi: number): void {
    if (this.#count >= this.size)
      throw this.fault('tensor-size', `holds more than ${this.size} numbers`);
    if (!this.#put(this.#count++, lo, hi)) {
      throw this.fault(
        'tensor-data',
        `holds ${BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo))}, which its type does not`,
      );
    }
  }

  finish(): Uint8Array {
    if (this.#count < this.size)
      throw this.fault('tensor-size', `holds ${this.#count} numbers instead of ${this.size}`);
    return this.bytes;
  }
}

function store(
  dtype: DType,
  bits: number,
  buffer: ArrayBuffer,
): (index: number, lo: number, hi: number) => boolean {
  if (bits === 64) {
    const words = new Uint32Array(buffer);
    return (i, lo, hi) => {
      words[2 * i] = lo;
      words[2 * i + 1] = hi;
      return true;
    };
  }
  if (bits === 32) {
    const words = new Uint32Array(buffer);
    // uint32 comes from 64-bit numbers; int32 has been cut to 32 bits by its field's own type.
    const wide = dtype === 'uint32';
    return (i, lo, hi) => {
      words[i] = lo;
      return !wide || hi === 0;
    };
  }
  const units = bits === 16 ? new Uint16Array(buffer) : new Uint8Array(buffer);
  if (dtype === 'bool') {
    return (i, lo) => {
      units[i] = lo === 0 ? 0 : 1;
      return true;
    };
  }
  // Bit patterns of floats and packed bytes are unsigned.
  const [min, max] =
    bits >= 8 && intRange(dtype) ? intRange(dtype)!.map(Number) : [0, 2 ** Math.max(8, bits) - 1];
  return (i, lo) => {
    units[i] = lo;
    return (lo | 0) >= min! && (lo | 0) <= max!;
  };
}

/**
 * The canonical bytes of elements given as integers, one number each (4- and 2-bit types: one
 * packed byte each).
 */
export function bytesOfNumbers(
  dtype: DType,
  count: number,
  values: readonly Int64[],
  fault: Fault,
): Uint8Array {
  const out = new ElementBytes(dtype, numbersOf(dtype, count), fault);
  for (const value of values) {
    if (typeof value === 'number') out.add(value >>> 0, Math.floor(value / 2 ** 32) >>> 0);
    else out.add(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }
  return out.finish();
}

/** The canonical bytes of elements given as the varints of a packed field. */
export function bytesOfVarints(
  dtype: DType,
  count: number,
  packed: Uint8Array,
  fault: Fault,
): Uint8Array {
  const out = new ElementBytes(dtype, numbersOf(dtype, count), fault);
  let lo = 0;
  let hi = 0;
  let shift = 0;
  for (const byte of packed) {
    const bits = byte & 127;
    if (shift < 28) lo |= bits << shift;
    else if (shift === 28) {
      lo |= bits << 28;
      hi = bits >>> 4;
    } else hi |= bits << (shift - 32);
    if (byte < 128) {
      out.add(lo >>> 0, hi >>> 0);
      lo = hi = shift = 0;
    } else if ((shift += 7) > 63) throw fault('tensor-data', 'holds a number longer than 64 bits');
  }
  if (shift > 0) throw fault('tensor-size', 'ends within a number');
  return out.finish();
}
