import { bitsOf, bytesOf, intRange, type DroverError, type DType } from '@drover/core';
import type { ByteEncoding } from '@drover/core/format';
import type { Int64 } from '@drover/protobuf';
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
 * Takes integers of a field in turn, as their low and high 32 bits, into the canonical bytes.
 * Values that the type does not hold are a fault.
 */
class ElementBytes {
  readonly #bytes: Uint8Array;
  readonly #width: number;
  readonly #put: (index: number, lo: number, hi: number) => boolean;
  count = 0;

  /** `size`: the numbers that come at most. */
  constructor(
    dtype: DType,
    size: number,
    readonly fault: Fault,
  ) {
    const bits = bitsOf(dtype);
    this.#width = Math.max(1, bits / 8);
    const buffer = new ArrayBuffer(size * this.#width);
    this.#bytes = new Uint8Array(buffer);
    this.#put = store(dtype, bits, buffer);
  }

  add(lo: number, hi: number): void {
    if (!this.#put(this.count++, lo, hi)) {
      throw this.fault(
        'tensor-data',
        `holds ${BigInt.asIntN(64, (BigInt(hi) << 32n) | BigInt(lo))}, which its type does not`,
      );
    }
  }

  /** What was taken. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#width * this.count);
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
export function bytesOfNumbers(dtype: DType, values: readonly Int64[], fault: Fault): Uint8Array {
  const out = new ElementBytes(dtype, values.length, fault);
  for (const value of values) {
    if (typeof value === 'number') out.add(value >>> 0, Math.floor(value / 2 ** 32) >>> 0);
    else out.add(Number(BigInt.asUintN(32, value)), Number(BigInt.asUintN(32, value >> 32n)));
  }
  return out.bytes;
}

/** The encoding of `count` elements as the varints of a packed field. */
export function varintElements(dtype: DType, count: number, fault: Fault): ByteEncoding {
  const size = numbersOf(dtype, count);
  return {
    name: `protobuf varints of ${dtype}`,
    async *decode(packed) {
      let [lo, hi, shift, left] = [0, 0, 0, size];
      for await (const piece of packed) {
        // A number has one byte at least, and one that began before may end here.
        const out = new ElementBytes(dtype, piece.length, fault);
        for (const byte of piece) {
          const bits = byte & 127;
          if (shift < 28) lo |= bits << shift;
          else if (shift === 28) {
            lo |= bits << 28;
            hi = bits >>> 4;
          } else hi |= bits << (shift - 32);
          if (byte < 128) {
            if (left-- === 0) throw fault('tensor-size', `holds more than ${size} numbers`);
            out.add(lo >>> 0, hi >>> 0);
            lo = hi = shift = 0;
          } else if ((shift += 7) > 63)
            throw fault('tensor-data', 'holds a number longer than 64 bits');
        }
        yield out.bytes;
      }
      if (shift > 0) throw fault('tensor-size', 'ends within a number');
      if (left > 0) throw fault('tensor-size', `holds ${size - left} numbers instead of ${size}`);
    },
  };
}
