import { ByteHandle } from '../bytes/byte-handle.js';
import type { ByteSource } from '../bytes/byte-source.js';
import type { DType } from './dtype.js';
import { bytesOf } from './dtype.js';
import { sizeOf } from './tensor.js';
import { Weight } from './weight.js';

const period = 251;
const pattern = Uint8Array.from({ length: 2 ** 24 }, (_, i) => i % period);

/** A tensor in a file that exists only where it is read: byte i is i modulo 251. */
function large(dtype: DType, shape: readonly number[]) {
  const size = bytesOf(dtype, sizeOf(shape));
  const reads: number[] = [];
  const source: ByteSource = {
    name: 'large.bin',
    size,
    read: async ({ offset, length } = { offset: 0, length: size }) => {
      reads.push(length);
      return pattern.subarray(offset % period, (offset % period) + length);
    },
  };
  return { weight: Weight.stored(dtype, shape, 'w', ByteHandle.range(source)), reads };
}

/** Walks through a weight as a writer does, and gives what it can say without keeping it. */
async function walked(weight: Weight, byteAt: (at: number) => number) {
  let length = 0;
  let longest = 0;
  for await (const piece of weight.chunks()) {
    for (const i of [0, piece.length >> 1, piece.length - 1])
      if (piece[i] !== byteAt(length + i)) throw new Error(`wrong byte at ${length + i}`);
    length += piece.length;
    longest = Math.max(longest, piece.length);
  }
  return { length, longest };
}

const MiB = 2 ** 20;
const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('a tensor of 6 GiB', () => {
  const shape = [1536, 1024, 1024];

  test('is streamed, whole, reshaped, cut and joined, and every byte is read once', async () => {
    const { weight, reads } = large('float32', shape);
    const half = 768 * 4 * MiB;
    // The halves change places, and nothing but their order is known.
    const turned = weight.permuteBlocks(0, [1, 0]).reshape([1024, 1536, 1024]);
    expect(await walked(turned, (at) => (at < half ? half + at : at - half) % period)).toEqual({
      length: 2 * half,
      longest: 4 * MiB,
    });
    expect([Math.max(...reads), sum(reads)]).toEqual([4 * MiB, 2 * half]);
  });

  test('gives a slice without reading the rest, and the whole to no array', async () => {
    const { weight, reads } = large('float32', shape);
    const row = weight.slice(0, 1000, 1).reshape([1024, 1024]).slice(0, 1023, 1);
    const start = (1000 * MiB + 1023 * 1024) * 4;
    expect((await row.bytes()).slice(0, 3)).toEqual(
      Uint8Array.from([start, start + 1, start + 2], (at) => at % period),
    );
    expect(reads).toEqual([4096]);
    // 2^52 bytes are more than any array holds.
    const { weight: larger } = large('float32', [2 ** 30, 2 ** 20]);
    await expect(larger.bytes()).rejects.toEqual(failing('core/limit'));
    await expect(larger.transpose([1, 0]).bytes()).rejects.toEqual(failing('core/limit'));
  });

  test('a cast and a dequantisation come in pieces that are small in float64, too', async () => {
    const { weight, reads } = large('uint8', [256 * MiB]);
    const codes = weight
      .slice(0, 0, 64 * MiB)
      .affine('float32', 2, -1)
      .cast('int16');
    const at = (byte: number) => {
      const value = ((byte >> 1) % period) * 2 - 1;
      return byte % 2 === 0 ? value & 255 : (value >> 8) & 255;
    };
    expect(await walked(codes, at)).toMatchObject({ length: 128 * MiB });
    expect(sum(reads)).toBe(64 * MiB);
    expect(Math.max(...reads)).toBeLessThanOrEqual(MiB);
  });

  test('a slice of what is cast reads only what it needs', async () => {
    const { weight, reads } = large('uint8', [2 ** 35]);
    const joined = Weight.concat([weight.cast('int16'), weight.cast('int16')], 0);
    const piece = joined.slice(0, 2 ** 35 - 2, 4);
    const last = 2 ** 35 - 1;
    expect([...(await piece.tensor()).data]).toEqual([(last - 1) % period, last % period, 0, 1]);
    expect(reads).toEqual([2, 2]);
  });

  test('parts of a transposed tensor, as gates are, read it once', async () => {
    const { weight, reads } = large('float32', [8, 12]);
    const gates = weight.transpose([1, 0]).permuteBlocks(0, [2, 0, 1]);
    const pieces: number[] = [];
    for await (const piece of gates.chunks()) pieces.push(...piece);
    expect(pieces).toEqual([...(await gates.bytes())]);
    expect(reads).toEqual([384, 384]);
  });
});

describe('packed elements', () => {
  const codes = Uint8Array.of(0x21, 0x43, 0x65, 0x07);
  const weight = Weight.of('uint4', [7], codes, 'w');
  const elements = async (each: Weight) => [...(await each.tensor()).data];
  const streamed = async (each: Weight) => {
    const pieces: number[] = [];
    for await (const piece of each.chunks(8)) pieces.push(...piece);
    return pieces;
  };

  test.each<[string, Weight, number[], number[]]>([
    ['a part from a byte on', weight.slice(0, 4, 3), [5, 6, 7], [0x65, 0x07]],
    ['a part from within a byte', weight.slice(0, 1, 3), [2, 3, 4], [0x32, 0x04]],
    ['a part that ends within one', weight.slice(0, 0, 3), [1, 2, 3], [0x21, 0x03]],
    [
      'a join of whole bytes',
      Weight.concat([weight.slice(0, 4, 2), weight.slice(0, 0, 1)], 0),
      [5, 6, 1],
      [0x65, 0x01],
    ],
    [
      'a join of half ones',
      Weight.concat([weight, weight.slice(0, 0, 2)], 0),
      [1, 2, 3, 4, 5, 6, 7, 1, 2],
      [0x21, 0x43, 0x65, 0x17, 0x02],
    ],
    ['widened', weight.cast('int8'), [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7]],
    ['narrowed', weight.cast('uint2'), [1, 2, 3, 0, 1, 2, 3], [0b00111001, 0b00111001]],
  ])('%s', async (_, part, values, bytes) => {
    expect(await elements(part)).toEqual(values);
    expect(await streamed(part)).toEqual(bytes);
    expect([...(await part.bytes())]).toEqual(bytes);
  });
});

describe('sharing', () => {
  const { weight } = large('float32', [4, 6]);
  const { weight: other } = large('float32', [4, 6]);

  test('is told by the handles', () => {
    expect(weight.handle.same(weight.reshape([24]).handle)).toBe(true);
    expect(weight.handle.sharesBytes(weight.slice(0, 3, 1).handle)).toBe(true);
    expect(weight.slice(0, 0, 1).handle.sharesBytes(weight.slice(0, 1, 3).handle)).toBe(false);
    expect(weight.handle.sharesBytes(other.handle)).toBe(false);
    const turned = weight.transpose([1, 0]);
    expect(turned.handle.same(turned.handle)).toBe(true);
    expect(turned.handle.sharesBytes(weight.handle)).toBe(false);
  });

  test('tied weights are the same, whichever way they were found', () => {
    const tied = Weight.stored('float32', [4, 6], 'tied', weight.handle);
    expect([tied.same(weight), weight.same(other)]).toEqual([true, false]);
    expect(tied.transpose([1, 0]).same(weight.transpose([1, 0]))).toBe(true);
    expect(tied.slice(0, 1, 2).same(weight.slice(0, 1, 3).slice(0, 0, 2))).toBe(true);
  });
});

test('a handle of another size than type and shape is refused', () => {
  const three = ByteHandle.of(new Uint8Array(3));
  expect(() => Weight.stored('float32', [1], 'w', three)).toThrow('core/range');
  expect(() => Weight.of('int4', [5], new Uint8Array(2))).toThrow('core/range');
});
