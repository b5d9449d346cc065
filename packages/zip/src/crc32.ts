/** tables[k][byte] is what `byte` does to the sum k bytes later. */
const tables: readonly Uint32Array[] = Array.from({ length: 8 }, () => new Uint32Array(256));
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  tables[0]![byte] = value;
}
for (let k = 1; k < 8; k++)
  for (let byte = 0; byte < 256; byte++) {
    const before = tables[k - 1]![byte]!;
    tables[k]![byte] = (before >>> 8) ^ tables[0]![before & 255]!;
  }
const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
  ...[Uint32Array, Uint32Array, Uint32Array, Uint32Array],
];

/** The CRC-32 of ZIP (ISO 3309, polynomial 0xEDB88320 reflected) over bytes that come in pieces. */
export class Crc32 {
  #sum = 0xffffffff;

  add(bytes: Uint8Array): void {
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
