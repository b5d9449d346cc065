import type { ByteEncoding } from './byte-handle.js';
import { inMultiples } from './pieces.js';

/** Numbers of `width` bytes with the most significant one first. */
export function bigEndian(width: number): ByteEncoding {
  return {
    name: `big-endian ${width}`,
    async *decode(stored) {
      for await (const piece of inMultiples(stored, width)) {
        const out = new Uint8Array(piece.length);
        for (let at = 0; at < piece.length; at += width)
          for (let i = 0; i < width; i++) out[at + i] = piece[at + width - 1 - i]!;
        yield out;
      }
    },
  };
}
