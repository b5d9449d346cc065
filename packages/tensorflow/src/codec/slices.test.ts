import { codesOf } from '../../testing/failure.js';
import { bytesEntry, readBundle, someBytes } from '../../testing/made-bundle.js';
import type { BundleEntry } from './messages.js';
import { sliceKey, type SliceExtent } from './slice-key.js';

test('keys of slices are those of ordered_code.cc', () => {
  const hex = (name: string, ...extents: SliceExtent[]) =>
    Buffer.from(sliceKey(name, extents)).toString('hex');
  const whole = { start: 0, length: undefined };
  // From an index and a checkpoint of version 1 that TensorFlow 2.15 wrote.
  expect(hex('part', { start: 0, length: 4 }, { start: 0, length: 4 })).toBe(
    '00' + '70617274' + '0001' + '0102' + '80848084',
  );
  expect(hex('conv/weights', whole, whole)).toBe(
    '00636f6e762f77656967687473' + '0001' + '0102' + '807f807f',
  );
  // By its rules: 64 takes two bytes and 2^13 three, NUL and 0xff are escaped.
  expect(hex('\0', { start: 64, length: 8191 })).toBe('00' + '00ff0001' + '0101' + 'c040' + 'dfff');
  expect(hex('', { start: 8192, length: 2 ** 40 })).toBe(
    '00' + '0001' + '0101' + 'e02000' + 'fd0000000000',
  );
});

describe('slices', () => {
  type Cut = readonly (readonly [start: number, length: number])[];
  /** A tensor of bytes with slices, one after the other in the data. */
  const sliced = (shape: readonly number[], ...cuts: readonly Cut[]) => {
    const extents = (cut: Cut) => cut.map(([start, length]) => ({ start, length }));
    let at = 0;
    const parts = cuts.map((cut) => {
      const size = cut.reduce((product, [, length]) => product * length, 1);
      at += size;
      const dim = cut.map(([, length]) => ({ size: length }));
      return [
        sliceKey('w', extents(cut)),
        bytesEntry(at - size, size, { shape: { dim } }),
      ] as const;
    });
    const slices = cuts.map((cut) => ({ extent: extents(cut) }));
    const whole: BundleEntry = {
      dtype: 4,
      shape: { dim: shape.map((size) => ({ size })) },
      slices,
    };
    return [['w', whole] as const, ...parts];
  };

  test('in both directions are put together', async () => {
    const [w] = await readBundle(
      sliced(
        [3, 5],
        [
          [0, 2],
          [0, 2],
        ],
        [
          [0, 2],
          [2, 3],
        ],
        [
          [2, 1],
          [0, 4],
        ],
        [
          [2, 1],
          [4, 1],
        ],
      ),
    );
    // Row by row, from where each slice has it.
    const places = [0, 1, 4, 5, 6, 2, 3, 7, 8, 9, 10, 11, 12, 13, 14];
    expect([...(await w!.bytes.read())]).toEqual(places.map((place) => someBytes[place]));
  });

  test('along the first axis stay where they are', async () => {
    const [w] = await readBundle(
      sliced(
        [5, 2],
        [
          [3, 2],
          [0, 2],
        ],
        [
          [0, 3],
          [0, 2],
        ],
      ),
    );
    const [second, first] = [someBytes.slice(0, 4), someBytes.slice(4, 10)];
    expect([...(await w!.bytes.read())]).toEqual([...first, ...second]);
    expect(w!.bytes.slice(0, 6).origin.offset).toBe(4);
  });

  test.each<[string, readonly number[], readonly Cut[]]>([
    ['that overlap', [5], [[[0, 3]], [[2, 3]]]],
    ['that leave a gap', [5], [[[0, 2]], [[3, 2]]]],
    ['that end early', [5], [[[0, 2]], [[2, 2]]]],
    ['that begin late', [5], [[[1, 4]]]],
    [
      'that overlap in one direction',
      [2, 4],
      [
        [
          [0, 2],
          [0, 3],
        ],
        [
          [0, 2],
          [2, 2],
        ],
      ],
    ],
    [
      'that are no grid',
      [2, 2],
      [
        [
          [0, 1],
          [0, 2],
        ],
        [
          [1, 1],
          [0, 1],
        ],
      ],
    ],
  ])('%s are refused', async (_, shape, cuts) => {
    expect(await codesOf(readBundle(sliced(shape, ...cuts)))).toEqual(['tensorflow/slices']);
  });

  test('of another type, or of no tensor, are refused', async () => {
    const [whole, [key, part], ...others] = sliced([5], [[0, 2]], [[2, 3]]) as [
      readonly [string, BundleEntry],
      readonly [Uint8Array, BundleEntry],
      readonly [Uint8Array, BundleEntry],
    ];
    expect(await codesOf(readBundle([whole, [key, { ...part, dtype: 6 }], ...others]))).toEqual([
      'tensorflow/slices',
    ]);
    expect(await codesOf(readBundle([['v', bytesEntry(20, 3)], [key, part], ...others]))).toEqual([
      'tensorflow/slices',
    ]);
  });
});
