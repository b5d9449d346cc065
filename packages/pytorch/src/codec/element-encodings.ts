import { sizeOf } from '@drover/core';
import { allocateBytes, inMultiples, type ByteEncoding } from '@drover/core/format';

/** Bytes of gathered elements that are handed on at once. */
const pieceBytes = 2 ** 22;

/**
 * Pairs of floats of `width` bytes whose signs are turned: of the first, of the second, or of both.
 */
export function flipped(width: number, first: boolean, second: boolean): ByteEncoding {
  return {
    name: `sign ${width} ${first} ${second}`,
    async *decode(stored) {
      for await (const piece of inMultiples(stored, 2 * width)) {
        const out = piece.slice();
        for (let at = width - 1; at < out.length; at += width)
          if ((at + 1) % (2 * width) === 0 ? second : first) out[at]! ^= 0x80;
        yield out;
      }
    },
  };
}

/**
 * Elements of `width` bytes in C order of a shape, each axis stepping over what is stored by its
 * stride. Memory: what the elements span, and a piece.
 */
export function strided(
  width: number,
  shape: readonly number[],
  strides: readonly number[],
): ByteEncoding {
  return {
    name: `strided ${width} [${shape.join()}] [${strides.join()}]`,
    async *decode(stored) {
      const span = 1 + shape.reduce((sum, dim, i) => sum + (dim - 1) * strides[i]!, 0);
      const from = allocateBytes(span * width, 'A storage', { file: '' });
      let at = 0;
      for await (const piece of stored) {
        from.set(piece, at);
        at += piece.length;
      }
      let left = sizeOf(shape);
      const index = shape.map(() => 0);
      let place = 0;
      while (left > 0) {
        const count = Math.min(left, Math.max(1, Math.floor(pieceBytes / width)));
        const out = new Uint8Array(count * width);
        for (let to = 0; to < out.length; to += width) {
          for (let i = 0; i < width; i++) out[to + i] = from[place * width + i]!;
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            place += strides[axis]!;
            if (++index[axis]! < shape[axis]!) break;
            place -= strides[axis]! * shape[axis]!;
            index[axis] = 0;
          }
        }
        left -= count;
        yield out;
      }
    },
  };
}
