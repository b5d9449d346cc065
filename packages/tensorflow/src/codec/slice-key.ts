/** A part of a tensor along one axis: from `start` on, `length` of it or, undefined, all of it. */
export interface SliceExtent {
  readonly start: number;
  readonly length: number | undefined;
}

/**
 * The key under which a table holds a slice of a tensor: 0, the name and the extents in codes that
 * sort as what they stand for does (tensorflow/core/lib/strings/ordered_code.cc). Numbers are whole
 * ones up to 2^53.
 */
export function sliceKey(name: string, extents: readonly SliceExtent[]): Uint8Array {
  const escaped = [...new TextEncoder().encode(name)].flatMap((byte) =>
    byte === 0 ? [0, 0xff] : byte === 0xff ? [0xff, 0] : [byte],
  );
  const bounds = extents.flatMap(({ start, length }) => [
    ...signedCode(start),
    ...signedCode(length ?? -1),
  ]);
  return Uint8Array.from([0, ...escaped, 0, 1, ...countCode(extents.length), ...bounds]);
}

/** The bytes that hold a number, the most significant one first; none for 0. */
function bigEndianBytes(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return bytes;
}

/** A number from 0 on: how many bytes, and these. */
function countCode(value: number): number[] {
  const bytes = bigEndianBytes(value);
  return [bytes.length, ...bytes];
}

/** A number from -1 on: as many leading ones as bytes, a zero, and the number with its sign. */
function signedCode(value: number): number[] {
  if (value < 64) return [0x80 ^ (value & 0xff)];
  const bits = value.toString(2).length;
  const length = Math.floor(bits / 7) + 1;
  const bytes = bigEndianBytes(value);
  while (bytes.length < length) bytes.unshift(0);
  const header = 0xffff ^ (0xffff >>> length);
  bytes[0]! ^= header >>> 8;
  bytes[1]! ^= header & 0xff;
  return bytes;
}
