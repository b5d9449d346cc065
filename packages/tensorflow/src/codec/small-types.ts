import { bitsOf, type DType } from '@drover/core';
import { inMultiples, type ByteEncoding } from '@drover/core/format';

/**
 * Elements of fewer than eight bits, of which weight files keep one in each byte, in its low bits:
 * packed as everywhere else here.
 */
export function packing(dtype: DType): ByteEncoding {
  const width = bitsOf(dtype);
  const perByte = 8 / width;
  return {
    name: `bytes of ${dtype}`,
    async *decode(stored) {
      for await (const piece of inMultiples(stored, perByte)) {
        const out = new Uint8Array(Math.ceil(piece.length / perByte));
        for (let i = 0; i < piece.length; i++)
          out[Math.floor(i / perByte)]! |=
            (piece[i]! & ((1 << width) - 1)) << ((i % perByte) * width);
        yield out;
      }
    },
  };
}

/** The inverse of {@link packing}, for `count` elements; the high bits are zero. */
export function unpacking(dtype: DType, count: number): ByteEncoding {
  const width = bitsOf(dtype);
  const perByte = 8 / width;
  return {
    name: `${count} of ${dtype} in bytes`,
    async *decode(stored) {
      let left = count;
      for await (const piece of stored) {
        const out = new Uint8Array(Math.min(left, piece.length * perByte));
        for (let i = 0; i < out.length; i++)
          out[i] =
            (piece[Math.floor(i / perByte)]! >>> ((i % perByte) * width)) & ((1 << width) - 1);
        left -= out.length;
        yield out;
      }
    },
  };
}
