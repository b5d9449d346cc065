/** Parts of a record, one after the other. */
export function record(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** An unsigned integer of `bytes` bytes, little-endian. */
export function uint(value: number, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let left = value;
  for (let i = 0; i < bytes; i++) {
    out[i] = left % 256;
    left = Math.floor(left / 256);
  }
  return out;
}

/** An address of nothing. */
export const undefinedAddress: readonly number[] = new Array<number>(8).fill(0xff);
