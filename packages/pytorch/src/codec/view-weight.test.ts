import { ByteHandle, DroverError, decodeTensor, toNumbers } from '@drover/core';
import type { TorchType } from './torch-types.js';
import { placeOf, viewWeight, type TensorView } from './view-weight.js';

const bytes = { name: 'uint8', dtype: 'uint8', bytes: 1 } as const satisfies TorchType;
/** A view of the bytes 0 to 11. */
const view = (shape: number[], strides: number[], offset = 0): TensorView => ({
  type: bytes,
  storage: 's',
  bytes: ByteHandle.of(Uint8Array.from({ length: 12 }, (_, i) => i)),
  offset,
  shape,
  strides,
  isBigEndian: false,
});
const elements = async (of: TensorView) => Array.from(await viewWeight(of, 'uint8', 'w').bytes());
const codeOf = (of: TensorView): string => {
  try {
    viewWeight(of, 'uint8', 'w');
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics[0]!.code;
    throw error;
  }
  return 'none';
};

test.each([
  ['in order', [3, 4], [4, 1], 0, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]],
  ['a row', [4], [1], 4, [4, 5, 6, 7]],
  ['transposed', [4, 3], [1, 4], 0, [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]],
  ['a column', [3], [4], 1, [1, 5, 9]],
  ['every second', [2, 3], [6, 2], 1, [1, 3, 5, 7, 9, 11]],
  ['expanded', [2, 3], [0, 1], 3, [3, 4, 5, 3, 4, 5]],
  ['overlapping', [3, 3], [1, 1], 0, [0, 1, 2, 1, 2, 3, 2, 3, 4]],
  ['axes of one element, whatever their strides', [1, 3, 1], [99, 1, 7], 0, [0, 1, 2]],
  [
    'transposed with an axis of one',
    [4, 1, 3],
    [1, 5, 4],
    0,
    [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11],
  ],
  ['one element', [], [], 11, [11]],
  ['none', [0, 3], [3, 1], 12, []],
] as const)('%s', async (_, shape, strides, offset, expected) => {
  const of = view([...shape], [...strides], offset);
  expect(await elements(of)).toEqual(expected);
  expect(viewWeight(of, 'uint8', 'w').shape).toEqual(shape);
});

test.each([
  ['beyond the storage', view([13], [1])],
  ['beyond it by its offset', view([12], [1], 1)],
  ['beyond it by its strides', view([2, 2], [11, 1])],
  ['a negative stride', view([2], [-1], 5)],
  ['a negative offset', view([1], [1], -1)],
  ['a negative dimension', view([-1], [1])],
  ['half a stride', view([2], [0.5])],
  ['a stride that is missing', view([2, 2], [1])],
  ['a product beyond 2^53', view([2 ** 30, 2 ** 30], [0, 0])],
  ['a stride beyond 2^53', view([2, 2], [2 ** 53, 1])],
  ['an offset of nothing beyond the storage', view([0], [1], 13)],
  ['65 dimensions', view(Array<number>(65).fill(1), Array<number>(65).fill(1))],
])('refused: %s', (_, of) => {
  expect(codeOf(of)).toBe('pytorch/tensor');
});

test('a few bytes do not stand for gigabytes', () => {
  expect(codeOf(view([2 ** 31], [0]))).toBe('core/limit');
});

test('views of one place are told by all that makes them', () => {
  const one = view([3, 4], [4, 1]);
  expect(placeOf(one)).toBe(placeOf(view([3, 4], [4, 1])));
  const others = [
    view([4, 3], [3, 1]),
    view([3, 4], [4, 1], 0),
    view([2, 4], [4, 1]),
    view([2, 4], [4, 1], 4),
  ];
  const places = [
    { ...others[1]!, storage: 't' },
    { ...one, isConjugate: true },
    others[0]!,
    others[2]!,
    others[3]!,
  ];
  expect(new Set(places.map(placeOf)).add(placeOf(one)).size).toBe(6);
});

test('strided elements come in pieces', async () => {
  const count = 5_000_000;
  const weight = viewWeight(view([count, 2], [0, 1]), 'uint8', 'w');
  const lengths: number[] = [];
  for await (const piece of weight.chunks()) lengths.push(piece.length);
  expect(lengths.length).toBeGreaterThan(2);
  expect(lengths.reduce((sum, length) => sum + length)).toBe(2 * count);
});

test('big-endian elements, conjugates and negatives are what they stand for', async () => {
  const complex = { name: 'complex64', dtype: 'complex64', bytes: 8 } as const satisfies TorchType;
  const data = new DataView(new ArrayBuffer(16));
  [1, 2, -3, 4].forEach((value, i) => data.setFloat32(4 * i, value, false));
  const of: TensorView = {
    ...view([2], [1]),
    type: complex,
    bytes: ByteHandle.of(new Uint8Array(data.buffer)),
    isBigEndian: true,
  };
  const numbers = async (flags: Partial<TensorView>) => {
    const read = await viewWeight({ ...of, ...flags }, 'complex64', 'w').bytes();
    return Array.from(toNumbers(decodeTensor(read, 'float32', [4])));
  };
  expect(await numbers({})).toEqual([1, 2, -3, 4]);
  expect(await numbers({ isConjugate: true })).toEqual([1, -2, -3, -4]);
  expect(await numbers({ isNegative: true })).toEqual([-1, -2, 3, -4]);
  expect(await numbers({ isNegative: true, isConjugate: true })).toEqual([-1, 2, 3, 4]);
});
