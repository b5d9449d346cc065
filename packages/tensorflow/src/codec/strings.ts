import {
  type ByteHandle,
  coreDiagnostics,
  type DiagnosticOrigin,
  type DroverError,
} from '@drover/core';
import { Crc, crc32cCode } from '@drover/core/format';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { compareCrc, maskCrc } from './masked-crc.js';
import { varint } from './table/write-table.js';

/** A longer text has no place in the canonical encoding, whose lengths have 32 bits. */
const maxTextBytes = 2 ** 32 - 1;
const lengthBytes = 4;

/** How a string tensor is stored. */
export interface StoredStrings {
  readonly count: number;
  /** Of lengths, of their sum, and of texts. Masked. */
  readonly crc32c: number;
  readonly isBigEndian: boolean;
}

/**
 * The strings of a tensor in the canonical encoding: for each a length in four bytes and its bytes.
 * A weight file has the lengths first, as varints, then their masked CRC, then the texts; what is
 * summed up are the lengths as integers of four bytes (tensor_bundle.cc). The lengths are read now,
 * the texts when they are asked for. Throws `tensorflow/bundle`, `tensorflow/checksum` and
 * `core/limit`.
 */
export async function openStrings(
  stored: ByteHandle,
  { count, crc32c, isBigEndian }: StoredStrings,
  origin: DiagnosticOrigin,
): Promise<ByteHandle> {
  const wrong = (message: string): DroverError =>
    tensorflowDiagnostics.error('bundle', { message: `${message}.`, origin });
  const what = JSON.stringify(origin.node);
  // Each has a byte at least: nothing is allocated that the file does not bound.
  if (count + lengthBytes > stored.length)
    throw wrong(`${what} has ${stored.length} bytes, too few for ${count} strings`);
  const lengths = new Uint32Array(count);
  const { headBytes, sum } = await readLengths(stored, lengths, isBigEndian, { wrong, origin });
  const total = lengths.reduce((all, length) => all + length, 0);
  if (headBytes + total !== stored.length)
    throw wrong(
      `${what} has ${stored.length} bytes, and its strings make ${headBytes + total} of them`,
    );
  return stored.decoded(
    {
      name: `strings after ${headBytes}`,
      async *decode(pieces) {
        // A copy of the sum so far: the texts may be read more than once.
        const all = sum();
        let skipped = 0;
        let [next, left] = [0, 0];
        for await (const whole of pieces) {
          const skip = Math.min(headBytes - skipped, whole.length);
          skipped += skip;
          let piece = whole.subarray(skip);
          all.add(piece);
          while (piece.length > 0) {
            while (left === 0 && next < count) {
              left = lengths[next++]!;
              yield u32(left, false);
            }
            yield piece.subarray(0, left);
            const taken = Math.min(left, piece.length);
            left -= taken;
            piece = piece.subarray(taken);
          }
        }
        for (; next < count; next++) yield u32(lengths[next]!, false);
        compareCrc(maskCrc(all.value), crc32c, what, origin);
      },
    },
    lengthBytes * count + total,
  );
}

/** Reads the lengths, and holds them against their own CRC. */
async function readLengths(
  stored: ByteHandle,
  lengths: Uint32Array,
  isBigEndian: boolean,
  { wrong, origin }: { wrong(message: string): DroverError; readonly origin: DiagnosticOrigin },
): Promise<{ readonly headBytes: number; sum(): Crc }> {
  const what = JSON.stringify(origin.node);
  const trailer: number[] = [];
  let [headBytes, next, value, unit] = [0, 0, 0, 1];
  reading: for await (const piece of stored.chunks(2 ** 16))
    for (const byte of piece) {
      headBytes++;
      if (next === lengths.length) {
        if (trailer.push(byte) === lengthBytes) break reading;
        continue;
      }
      value += (byte & 127) * unit;
      unit *= 128;
      if (value > maxTextBytes)
        throw coreDiagnostics.error('limit', {
          message: `String ${next} of ${what} has more than ${maxTextBytes} bytes.`,
          origin,
        });
      if (unit > 2 ** 63) throw wrong(`The length of string ${next} of ${what} has no end`);
      if (byte >= 128) continue;
      lengths[next++] = value;
      [value, unit] = [0, 1];
    }
  if (trailer.length < lengthBytes) throw wrong(`The lengths of ${what} have no end`);
  const check = Uint8Array.from(trailer);
  const sum = (): Crc => {
    const crc = new Crc(crc32cCode);
    for (const length of lengths) crc.add(u32(length, isBigEndian));
    return crc;
  };
  const expected = new DataView(check.buffer).getUint32(0, !isBigEndian);
  compareCrc(maskCrc(sum().value), expected, `The lengths of ${what}`, origin);
  return {
    headBytes,
    sum: () => {
      const crc = sum();
      crc.add(check);
      return crc;
    },
  };
}

function u32(value: number, isBigEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, !isBigEndian);
  return bytes;
}

/** Pieces of a string tensor as a weight file has it, and the masked CRC of its entry. */
export function encodeStoredStrings(canonical: Uint8Array): {
  readonly pieces: readonly Uint8Array[];
  readonly crc32c: number;
} {
  const view = new DataView(canonical.buffer, canonical.byteOffset, canonical.length);
  const sum = new Crc(crc32cCode);
  const [lengths, texts]: [Uint8Array[], Uint8Array[]] = [[], []];
  for (let at = 0; at < canonical.length;) {
    const length = view.getUint32(at, true);
    sum.add(u32(length, false));
    lengths.push(varint(length));
    texts.push(canonical.subarray(at + lengthBytes, at + lengthBytes + length));
    at += lengthBytes + length;
  }
  const check = u32(maskCrc(sum.value), false);
  for (const each of [check, ...texts]) sum.add(each);
  return { pieces: [...lengths, check, ...texts], crc32c: maskCrc(sum.value) };
}
