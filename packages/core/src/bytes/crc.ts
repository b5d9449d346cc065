/** A CRC of 32 bits, reflected, that begins and ends inverted. */
export interface CrcCode {
  /** What a byte does to a sum. */
  readonly bytes: Int32Array;
  /** What each of the four bytes of a word does to the sum of its lane one round later. */
  readonly rounds: readonly [Int32Array, Int32Array, Int32Array, Int32Array];
  /** The platform's own, where there is one: the sum of bytes after others of sum `before`. */
  readonly native?: ((bytes: Uint8Array, before: number) => number) | undefined;
}

/** Words that are summed side by side, each in a lane of its own: none waits for another. */
const lanes = 4;
const roundBytes = 4 * lanes;

/** The code of a polynomial that is given reflected. */
function codeOf(polynomial: number, native?: CrcCode['native']): CrcCode {
  const bytes = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    return value;
  });
  const round = (place: number) =>
    Int32Array.from({ length: 256 }, (_, byte) => {
      let value = byte << (8 * place);
      for (let i = 0; i < roundBytes; i++) value = bytes[value & 255]! ^ (value >>> 8);
      return value;
    });
  return { bytes, rounds: [round(0), round(1), round(2), round(3)], native };
}

/** The part of node:zlib that is used here, from Node 20.15 on. */
interface NodeZlib {
  readonly crc32?: CrcCode['native'];
}
const { process } = globalThis as {
  readonly process?: { getBuiltinModule?(id: 'node:zlib'): NodeZlib };
};
const zlib = process?.getBuiltinModule?.('node:zlib');

/** CRC-32 of ISO 3309, as in ZIP. */
export const crc32Code: CrcCode = codeOf(0xedb88320, zlib?.crc32);
/** CRC-32C of RFC 3720 (Castagnoli), as in the files of TensorFlow. */
export const crc32cCode: CrcCode = codeOf(0x82f63b78);

/** A sum over bytes that come in pieces: `new Crc(crc32cCode)`. */
export class Crc {
  #value = 0;

  constructor(private readonly code: CrcCode) {}

  add(piece: Uint8Array): void {
    const { native } = this.code;
    // Of no bytes, that of Node gives 0 and not what came before.
    if (piece.length === 0) return;
    this.#value = native ? native(piece, this.#value) : sumOf(piece, this.#value, this.code);
  }

  /** The sum of what was added, unsigned. */
  get value(): number {
    return this.#value;
  }
}

/**
 * The sum in interleaved lanes: a sum is linear, so each lane sums every fourth word as if those
 * between were zero, and the last round joins them.
 * @see Kadatch and Jenkins, Everything we know about CRC but afraid to forget (2010), section 4.11
 */
function sumOf(piece: Uint8Array, before: number, { bytes, rounds }: CrcCode): number {
  const { length } = piece;
  let sum = ~before;
  let at = 0;
  const step = (end: number) => {
    for (; at < end; at++) sum = bytes[(sum ^ piece[at]!) & 255]! ^ (sum >>> 8);
  };
  step(Math.min(-piece.byteOffset & 3, length));
  const count = Math.floor((length - at) / roundBytes) - 1;
  if (count > 0) {
    const [r0, r1, r2, r3] = rounds;
    const end = count * lanes;
    const words = new Int32Array(piece.buffer, piece.byteOffset + at, end + lanes);
    let [a, b, c, d] = [sum, 0, 0, 0];
    for (let i = 0; i < end; i += lanes) {
      a ^= words[i]!;
      b ^= words[i + 1]!;
      c ^= words[i + 2]!;
      d ^= words[i + 3]!;
      a = r0[a & 255]! ^ r1[(a >>> 8) & 255]! ^ r2[(a >>> 16) & 255]! ^ r3[a >>> 24]!;
      b = r0[b & 255]! ^ r1[(b >>> 8) & 255]! ^ r2[(b >>> 16) & 255]! ^ r3[b >>> 24]!;
      c = r0[c & 255]! ^ r1[(c >>> 8) & 255]! ^ r2[(c >>> 16) & 255]! ^ r3[c >>> 24]!;
      d = r0[d & 255]! ^ r1[(d >>> 8) & 255]! ^ r2[(d >>> 16) & 255]! ^ r3[d >>> 24]!;
    }
    at += 4 * end;
    sum = 0;
    for (const lane of [a, b, c, d]) {
      sum ^= lane;
      step(at + 4);
    }
  }
  step(length);
  return ~sum >>> 0;
}
