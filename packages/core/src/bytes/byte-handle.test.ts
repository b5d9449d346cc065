import fc from 'fast-check';
import { memorySource } from '../format/memory.js';
import type { Source } from '../format/source.js';
import { ByteHandle, type ByteEncoding } from './byte-handle.js';
import { inMultiples } from './pieces.js';

const period = 251;
/** Bytes that count up to 250 over and over, long enough for every read that a test makes. */
const pattern = Uint8Array.from({ length: 2 ** 23 }, (_, i) => i % period);

/** A file that exists only where it is read: byte i is i modulo 251. It notes what is read. */
function countingSource(size: number, name = 'large.bin') {
  const reads: number[] = [];
  const source: Source = {
    name,
    size,
    read: async ({ offset, length } = { offset: 0, length: size }) => {
      reads.push(length);
      const start = offset % period;
      return pattern.subarray(start, start + length);
    },
    sibling: async (path) => countingSource(size, path).source,
    siblings: async () => [name],
  };
  return { source, reads };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, n) => total + n, 0);
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });
const bytes = (...values: number[]) => ByteHandle.of(Uint8Array.from(values));
const sourceOf = (...values: number[]) =>
  memorySource('a.bin', new Map([['a.bin', Uint8Array.from(values)]]));

async function* piecesOf(...pieces: readonly number[][]) {
  for (const piece of pieces) yield Uint8Array.from(piece);
}

/** Every byte twice, in the opposite order: not the length, nor the places, of what is stored. */
const doubled: ByteEncoding = {
  name: 'doubled',
  async *decode(stored) {
    for await (const piece of stored)
      yield Uint8Array.from({ length: 2 * piece.length }, (_, i) => 255 - piece[i >> 1]!);
  },
};

describe('a range of a source', () => {
  test('10 GiB are streamed in pieces of the size that is asked for', async () => {
    const size = 10 * 2 ** 30;
    const { source, reads } = countingSource(size);
    const handle = ByteHandle.range(source);
    expect(handle.length).toBe(size);
    expect(reads).toEqual([]);
    let at = 0;
    for await (const piece of handle.chunks()) {
      if (piece[0] !== at % period || piece.at(-1) !== (at + piece.length - 1) % period)
        throw new Error(`wrong bytes at ${at}`);
      at += piece.length;
    }
    expect(at).toBe(size);
    expect([Math.max(...reads), sum(reads)]).toEqual([4 * 2 ** 20, size]);
  });

  test('a slice reads itself and nothing else', async () => {
    const { source, reads } = countingSource(2 ** 40);
    const handle = ByteHandle.range(source, 1000)
      .slice(2 ** 39, 5000)
      .slice(4, 3);
    const first = (1000 + 2 ** 39 + 4) % period;
    expect([...(await handle.read())]).toEqual([first, (first + 1) % period, (first + 2) % period]);
    expect([...(await ByteHandle.range(source).read({ offset: 2 ** 35, length: 1 }))]).toEqual([
      2 ** 35 % period,
    ]);
    expect(reads).toEqual([3, 1]);
  });

  test('what does not fit into one array is core/limit, and says so', async () => {
    const { source, reads } = countingSource(2 ** 52);
    await expect(ByteHandle.range(source).read()).rejects.toMatchObject({
      diagnostics: [
        { code: 'core/limit', message: expect.stringContaining('one array') as string },
      ],
    });
    expect(Math.max(...reads)).toBeLessThan(2 ** 23);
  });

  test('what leaves it is core/range', () => {
    const handle = ByteHandle.range(sourceOf(1, 2, 3));
    expect(() => ByteHandle.range(sourceOf(1, 2, 3), 1, 3)).toThrow('core/range');
    expect(() => handle.slice(2, 2)).toThrow('core/range');
    expect(() => handle.slice(-1, 1)).toThrow('core/range');
    expect(() => handle.slice(0.5, 1)).toThrow('core/range');
  });

  test('a source that gives fewer bytes than asked for is found out', async () => {
    const short = { ...sourceOf(1, 2, 3), read: async () => Uint8Array.of(1, 2) };
    await expect(ByteHandle.range(short).read()).rejects.toEqual(failing('core/content-size'));
  });
});

describe('shards', () => {
  test('are one stretch of bytes, and a slice opens only those that it touches', async () => {
    const shards = [0, 1, 2].map(() => countingSource(3 * 2 ** 30));
    const joined = ByteHandle.join(shards.map(({ source }) => ByteHandle.range(source)));
    expect(joined.length).toBe(9 * 2 ** 30);
    const start = 3 * 2 ** 30;
    expect([...(await joined.read({ offset: start - 2, length: 4 }))]).toEqual([
      (start - 2) % period,
      (start - 1) % period,
      0,
      1,
    ]);
    expect(shards.map(({ reads }) => reads)).toEqual([[2], [2], []]);
    expect(await joined.slice(start, 0).read()).toEqual(new Uint8Array(0));
  });

  test('slices of joins are those of the joined bytes (property)', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 6 }),
        fc.nat(),
        fc.nat(),
        fc.integer({ min: 1, max: 5 }),
        async (parts, from, count, maxBytes) => {
          const whole = Uint8Array.from(parts.flatMap((part) => [...part]));
          const offset = from % (whole.length + 1);
          const length = count % (whole.length - offset + 1);
          const handle = ByteHandle.join(
            parts.map((part, i) =>
              i % 2 === 0 ? ByteHandle.of(part) : ByteHandle.range(sourceOf(...part)),
            ),
          ).slice(offset, length);
          const found: number[] = [];
          for await (const piece of handle.chunks(maxBytes)) {
            expect(piece.length).toBeLessThanOrEqual(maxBytes);
            expect(piece.length).toBeGreaterThan(0);
            found.push(...piece);
          }
          expect(found).toEqual([...whole.subarray(offset, offset + length)]);
          expect([...(await handle.read())]).toEqual(found);
        },
      ),
    );
  });
});

describe('encodings', () => {
  test('are undone piece by piece, and no further than a slice needs', async () => {
    const size = 2 ** 33;
    const { source, reads } = countingSource(size);
    const handle = ByteHandle.range(source).decoded(doubled, 2 * size);
    const offset = 10 * 2 ** 20 + 1;
    const at = (i: number) => 255 - (Math.floor(i / 2) % period);
    expect([...(await handle.slice(offset, 3).slice(1, 2).read())]).toEqual([
      at(offset + 1),
      at(offset + 2),
    ]);
    expect(sum(reads)).toBe(8 * 2 ** 20);
    for await (const piece of handle.chunks(1024)) {
      expect(piece.length).toBe(1024);
      break;
    }
    expect(reads.at(-1)).toBe(1024);
  });

  test.each([
    ['more', 5],
    ['fewer', 7],
  ])('that give %s bytes than announced are core/content-size', async (_, length) => {
    const handle = bytes(1, 2, 3).decoded(doubled, length);
    await expect(handle.read()).rejects.toEqual(failing('core/content-size'));
  });

  test('never give more than a piece too much', async () => {
    let pieces = 0;
    const bomb: ByteEncoding = {
      name: 'bomb',
      async *decode() {
        for (;;) {
          pieces++;
          yield new Uint8Array(1000);
        }
      },
    };
    await expect(bytes(1).decoded(bomb, 5000).read()).rejects.toEqual(failing('core/content-size'));
    expect(pieces).toBe(6);
  });
});

test('computed content is made anew for each reading, and not before', async () => {
  let made = 0;
  const handle = ByteHandle.computed(4, () => {
    made++;
    return piecesOf([1], [2, 3], [4]);
  });
  expect([handle.length, made, handle.peek()]).toEqual([4, 0, undefined]);
  expect([...(await handle.read())]).toEqual([1, 2, 3, 4]);
  expect([...(await handle.slice(1, 2).read())]).toEqual([2, 3]);
  expect(made).toBe(2);
});

describe('bytes in memory', () => {
  test('are given without waiting', async () => {
    const two = ByteHandle.join([bytes(1, 2), bytes(3)]);
    expect(bytes(1, 2, 3).slice(1, 2).peek()).toEqual(Uint8Array.of(2, 3));
    expect(two.peek()).toEqual(Uint8Array.of(1, 2, 3));
    expect(ByteHandle.join([two, ByteHandle.range(sourceOf(4))]).peek()).toBeUndefined();
  });

  test('are read once, and keep their place, when they are loaded', async () => {
    const { source, reads } = countingSource(100);
    const handle = ByteHandle.range(source, 10, 5);
    const loaded = await handle.load();
    expect(loaded.peek()).toEqual(Uint8Array.of(10, 11, 12, 13, 14));
    expect(loaded.slice(1, 2).peek()).toEqual(Uint8Array.of(11, 12));
    expect(await loaded.read()).toEqual(await loaded.load().then((again) => again.read()));
    expect(loaded.same(handle)).toBe(true);
    expect(loaded.slice(1, 2).same(handle.slice(1, 2))).toBe(true);
    expect(reads).toEqual([5]);
  });
});

describe('checks', () => {
  const total = (expected: number) => ({
    begin() {
      let found = 0;
      return {
        add: (piece: Uint8Array) => void (found += sum([...piece])),
        end: () => {
          if (found !== expected) throw new TypeError(`${found}`);
        },
      };
    },
  });

  test('hold for the whole, not for a part of it', async () => {
    const handle = ByteHandle.range(sourceOf(1, 2, 3));
    expect([...(await handle.checked(total(6)).read())]).toEqual([1, 2, 3]);
    const wrong = handle.checked(total(7));
    await expect(wrong.read()).rejects.toThrow(TypeError);
    await expect(wrong.load()).rejects.toThrow(TypeError);
    await expect(ByteHandle.join([bytes(9), wrong]).read()).rejects.toThrow(TypeError);
    await expect(bytes(1, 2, 3).checked(total(7)).read()).rejects.toThrow(TypeError);
    expect([...(await wrong.slice(1, 2).read())]).toEqual([2, 3]);
    const head = await wrong.read({ offset: 0, length: 2 });
    await expect(wrong.after(head).read()).rejects.toThrow(TypeError);
    expect([...(await handle.checked(total(6)).after(head).read())]).toEqual([3]);
    expect([...(await handle.after(head).read())]).toEqual([3]);
    expect(wrong.same(handle)).toBe(true);
  });
});

describe('sharing is found without reading', () => {
  const never: Source = { ...sourceOf(...Array<number>(100).fill(0)) };
  const source: Source = {
    ...never,
    read: () => Promise.reject(new Error('must not be read')),
  };
  const range = (offset: number, length: number) => ByteHandle.range(source, offset, length);
  const coded = (name: string, stored: ByteHandle) => stored.decoded({ ...doubled, name }, 20);
  const computed = ByteHandle.computed(10, () => piecesOf([]));

  test.each<[string, ByteHandle, ByteHandle, boolean, boolean]>([
    ['the same range', range(10, 5), range(10, 5), true, true],
    ['a range and a slice of another', range(10, 5), range(0, 50).slice(10, 5), true, true],
    ['ranges that overlap', range(10, 5), range(14, 5), false, true],
    ['ranges side by side', range(10, 5), range(15, 5), false, false],
    [
      'a whole and its joined parts',
      range(0, 9),
      ByteHandle.join([range(0, 4), range(4, 5)]),
      true,
      true,
    ],
    [
      'parts in another order',
      range(0, 8),
      ByteHandle.join([range(4, 4), range(0, 4)]),
      false,
      true,
    ],
    [
      'the same source opened again',
      range(1, 5),
      ByteHandle.range({ ...source }, 1, 5),
      true,
      true,
    ],
    [
      'equal bytes of other files',
      ByteHandle.range(sourceOf(1, 2)),
      ByteHandle.range(sourceOf(1, 2)),
      false,
      false,
    ],
    [
      'the same encoding of the same bytes',
      coded('x', range(0, 9)),
      coded('x', range(0, 9)),
      true,
      true,
    ],
    ['another encoding of them', coded('x', range(0, 9)), coded('y', range(0, 9)), false, false],
    [
      'parts of what is decoded',
      coded('x', range(0, 9)).slice(0, 12),
      coded('x', range(0, 9)).slice(8, 12),
      false,
      true,
    ],
    ['what is decoded and what is stored', coded('x', range(0, 9)), range(0, 9), false, false],
    ['the same computation', computed, computed.slice(0, 10), true, true],
    ['parts of it', computed.slice(2, 4), computed.slice(6, 4), false, false],
    ['two computations', computed, ByteHandle.computed(10, () => piecesOf([])), false, false],
    ['nothing at all', range(3, 0), range(5, 0), true, false],
  ])('%s', (_, a, b, same, shares) => {
    expect([a.same(b), b.same(a), a.sharesBytes(b), b.sharesBytes(a)]).toEqual([
      same,
      same,
      shares,
      shares,
    ]);
    expect(a.place === b.place).toBe(same);
  });

  test('views of one buffer', () => {
    const buffer = Uint8Array.from({ length: 10 }, (_, i) => i);
    const view = (from: number, to: number) => ByteHandle.of(buffer.subarray(from, to));
    expect(view(0, 4).same(view(0, 4))).toBe(true);
    expect(view(0, 4).sharesBytes(view(3, 5))).toBe(true);
    expect(view(0, 4).sharesBytes(view(4, 5))).toBe(false);
    expect(view(0, 4).same(ByteHandle.of(buffer.slice(0, 4)))).toBe(false);
  });
});

test('pieces of whole elements are the same bytes (property)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 7 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 5 }),
      async (parts, unit) => {
        const found: Uint8Array[] = [];
        for await (const piece of inMultiples(piecesOf(...parts.map((part) => [...part])), unit))
          found.push(piece);
        expect(found.flatMap((piece) => [...piece])).toEqual(parts.flatMap((part) => [...part]));
        expect(found.slice(0, -1).every((piece) => piece.length % unit === 0)).toBe(true);
      },
    ),
  );
});
