/** What each byte does to a sum: `[k][byte]` is its effect k bytes later. */
export type CrcTables = readonly Uint32Array[];

/** The tables of a CRC of 32 bits whose polynomial is given reflected. */
function tablesOf(polynomial: number): CrcTables {
  const tables = Array.from({ length: 8 }, () => new Uint32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    tables[0]![byte] = value;
  }
  for (let k = 1; k < 8; k++)
    for (let byte = 0; byte < 256; byte++) {
      const before = tables[k - 1]![byte]!;
      tables[k]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
    }
  return tables;
}

/** CRC-32 of ISO 3309, as in ZIP. */
export const crc32Tables: CrcTables = tablesOf(0xedb88320);
/** CRC-32C of RFC 3720 (Castagnoli), as in the files of TensorFlow. */
export const crc32cTables: CrcTables = tablesOf(0x82f63b78);

/** A CRC of 32 bits over bytes that come in pieces: `new Crc(crc32cTables)`. */
export class Crc {
  #sum = 0xffffffff;

  constructor(private readonly tables: CrcTables) {}

  add(bytes: Uint8Array): void {
    const [t0, t1, t2, t3, t4, t5, t6, t7] = this.tables as [
      ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
      ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
    ];
    let sum = this.#sum;
    let i = 0;
    // Eight bytes at a time: the sum is linear in them.
    for (const end = bytes.length - 7; i < end; i += 8) {
      sum ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      sum =
        t7[sum & 255]! ^
        t6[(sum >>> 8) & 255]! ^
        t5[(sum >>> 16) & 255]! ^
        t4[sum >>> 24]! ^
        t3[bytes[i + 4]!]! ^
        t2[bytes[i + 5]!]! ^
        t1[bytes[i + 6]!]! ^
        t0[bytes[i + 7]!]!;
    }
    for (; i < bytes.length; i++) sum = t0[(sum ^ bytes[i]!) & 255]! ^ (sum >>> 8);
    this.#sum = sum;
  }

  /** The sum of what was added, unsigned. */
  get value(): number {
    return (this.#sum ^ 0xffffffff) >>> 0;
  }
}
