import fc from 'fast-check';
import type { DType } from './dtype.js';
import { encodeTensor, sizeOf, tensor, type Tensor } from './tensor.js';
import { ByteHandle } from '../bytes/byte-handle.js';
import { castTensor } from './cast-tensor.js';
import { Weight } from './weight.js';

/** A plain nested-index model of a weight: what stands at each index. */
interface Naive {
  readonly shape: readonly number[];
  at(index: readonly number[]): number;
}

function* indices(shape: readonly number[]): Generator<number[]> {
  for (let flat = 0; flat < sizeOf(shape); flat++) {
    let rest = flat;
    const index = new Array<number>(shape.length);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = rest % shape[axis]!;
      rest = Math.floor(rest / shape[axis]!);
    }
    yield index;
  }
}

const elements = (naive: Naive): number[] =>
  [...indices(naive.shape)].map((index) => naive.at(index));

type Change = (weight: Weight, naive: Naive) => readonly [Weight, Naive];

const transpose =
  (keys: readonly number[]): Change =>
  (weight, { shape, at }) => {
    const perm = shape.map((_, i) => i).sort((a, b) => keys[a]! - keys[b]! || a - b);
    const to = (index: readonly number[]) =>
      index.reduce<number[]>((source, i, axis) => ((source[perm[axis]!] = i), source), []);
    return [
      weight.transpose(perm),
      { shape: perm.map((p) => shape[p]!), at: (index) => at(to(index)) },
    ];
  };
const slice =
  (which: number, from: number, count: number): Change =>
  (weight, { shape, at }) => {
    const axis = which % shape.length;
    const start = from % shape[axis]!;
    const size = 1 + (count % (shape[axis]! - start));
    return [
      weight.slice(axis, start, size),
      { shape: shape.with(axis, size), at: (index) => at(index.with(axis, index[axis]! + start)) },
    ];
  };
const reverse =
  (which: number): Change =>
  (weight, { shape, at }) => {
    const axis = which % shape.length;
    return [
      weight.reverse(axis),
      { shape, at: (index) => at(index.with(axis, shape[axis]! - 1 - index[axis]!)) },
    ];
  };
const flattenLast: Change = (weight, naive) => {
  const all = elements(naive);
  const shape =
    naive.shape.length < 2
      ? [1, ...naive.shape]
      : [...naive.shape.slice(0, -2), naive.shape.at(-2)! * naive.shape.at(-1)!];
  const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
  return [
    weight.reshape(shape),
    { shape, at: (index) => all[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]! },
  ];
};
const joinTwice =
  (which: number): Change =>
  (weight, { shape, at }) => {
    const axis = which % shape.length;
    const size = shape[axis]!;
    const order = [1, 0];
    const joined = Weight.concat([weight, weight.reverse(axis)], axis).permuteBlocks(axis, order);
    const to = (i: number) => (i < size ? size - 1 - i : i - size);
    return [
      joined,
      { shape: shape.with(axis, 2 * size), at: (index) => at(index.with(axis, to(index[axis]!))) },
    ];
  };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.array(fc.nat(9), { minLength: 6, maxLength: 6 }).map(transpose),
  fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9)).map((args) => slice(...args)),
  fc.nat(9).map(reverse),
  fc.constant(flattenLast),
  fc.nat(9).map(joinTwice),
);

test.each(['float32', 'int8', 'int4', 'uint2', 'float64', 'float16', 'complex64'] as DType[])(
  'steps over %s are those of plain indexing (property)',
  async (dtype) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
        fc.array(change, { maxLength: 5 }),
        async (shape, changes) => {
          const count = sizeOf(shape);
          const pair = dtype === 'complex64' ? 2 : 1;
          const wrap = dtype === 'uint2' ? 4 : dtype === 'int4' ? 8 : 128;
          const stored = tensor(
            dtype,
            shape,
            Array.from({ length: count * pair }, (_, i) => i % wrap),
          );
          const strides = shape.map((_, i) => sizeOf(shape.slice(i + 1)));
          let reads = 0;
          // One byte in front, so that nothing is aligned by luck.
          const bytes = new Uint8Array([0, ...encodeTensor(stored)]).subarray(1);
          const content = ByteHandle.computed(bytes.length, async function* () {
            reads++;
            yield bytes;
          });
          let weight = Weight.stored(dtype, shape, 'w', content);
          let naive: Naive = {
            shape,
            at: (index) => index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0),
          };
          for (const step of changes)
            if (sizeOf(naive.shape) < 300) [weight, naive] = step(weight, naive);
          const result = await weight.tensor();
          const expected = elements(naive).flatMap((at) =>
            Array.from({ length: pair }, (_, k) => (at * pair + k) % wrap),
          );
          expect(result.shape).toEqual(naive.shape);
          expect(Array.from(result.data as Float64Array)).toEqual(expected);
          expect(reads).toBe(1);
          for (const maxBytes of [3, 16]) {
            const pieces: number[] = [];
            for await (const piece of weight.chunks(maxBytes)) {
              expect(piece.length).toBeLessThanOrEqual(maxBytes);
              pieces.push(...piece);
            }
            expect(pieces).toEqual([...encodeTensor(result)]);
          }
          expect([...(await weight.handle.read())]).toEqual([...(await weight.bytes())]);
        },
      ),
      { numRuns: 100 },
    );
  },
);

const letters = tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]);

test('a handle reads nothing until it is asked, and reads a shared tensor once', async () => {
  let reads = 0;
  const content = ByteHandle.computed(24, async function* () {
    reads++;
    yield encodeTensor(letters);
  });
  const stored = Weight.stored('float32', [2, 3], 'w', content);
  const twice = Weight.concat([stored.transpose([1, 0]), stored.transpose([1, 0]).reverse(0)], 0);
  expect(twice.shape).toEqual([6, 2]);
  expect(twice.peek()).toBeUndefined();
  expect(reads).toBe(0);
  expect(Array.from((await twice.tensor()).data as Float64Array)).toEqual([
    1, 4, 2, 5, 3, 6, 3, 6, 2, 5, 1, 4,
  ]);
  expect(reads).toBe(1);
});

test('steps that do nothing, or undo each other, leave the handle', () => {
  const weight = Weight.from(letters);
  expect(weight.transpose([0, 1])).toBe(weight);
  expect(weight.transpose([1, 0]).transpose([1, 0])).toBe(weight);
  expect(weight.reshape([6]).reshape([2, 3])).toBe(weight);
  expect(weight.slice(1, 0, 3)).toBe(weight);
  expect(weight.cast('float32')).toBe(weight);
  expect(weight.permuteBlocks(1, [0, 1, 2])).toBe(weight);
  expect(Weight.concat([weight], 0)).toBe(weight);
});

test('gates are permuted in blocks', () => {
  expect(Weight.from(letters).permuteBlocks(1, [2, 0, 1]).peek()).toEqual(
    tensor('float32', [2, 3], [3, 1, 2, 6, 4, 5]),
  );
  expect(
    Weight.from(tensor('int64', [4], [1, 2, 3, 4]))
      .permuteBlocks(0, [1, 0])
      .peek(),
  ).toEqual(tensor('int64', [4], [3, 4, 1, 2]));
});

test('stored codes stand for scale and offset', () => {
  const codes = Weight.from(tensor('uint8', [3], [0, 128, 255]));
  expect(codes.affine('float32', 0.5, -1).peek()).toEqual(tensor('float32', [3], [-1, 63, 126.5]));
  expect(codes.affine('float16', 0.1, 0).peek()!.data[1]).toBe(12.796875);
});

test.each<[string, Tensor, DType, Tensor]>([
  [
    'floats are truncated',
    tensor('float32', [3], [1.9, -1.9, NaN]),
    'int32',
    tensor('int32', [3], [1, -1, 0]),
  ],
  [
    'to 64 bits as well',
    tensor('float64', [2], [-2.5, 2 ** 62]),
    'int64',
    tensor('int64', [2], [-2n, 2n ** 62n]),
  ],
  ['integers wrap', tensor('int32', [2], [300, -1]), 'uint8', tensor('uint8', [2], [44, 255])],
  [
    'the low bits of 64-bit integers are kept',
    tensor('int64', [2], [2n ** 53n + 1n, -1n]),
    'int32',
    tensor('int32', [2], [1, -1]),
  ],
  [
    'to unsigned ones',
    tensor('uint64', [1], [2n ** 64n - 1n]),
    'uint32',
    tensor('uint32', [1], [4294967295]),
  ],
  ['to 4 bits', tensor('int64', [2], [-9n, 8n]), 'int4', tensor('int4', [2], [7, -8])],
  [
    'between 64-bit integers',
    tensor('int64', [1], [-1n]),
    'uint64',
    tensor('uint64', [1], [2n ** 64n - 1n]),
  ],
  [
    'floats round',
    tensor('float64', [2], [16777217, 0.1]),
    'float32',
    tensor('float32', [2], [16777216, Math.fround(0.1)]),
  ],
  [
    'ties to even',
    tensor('float32', [2], [2049, 2051]),
    'float16',
    tensor('float16', [2], [2048, 2052]),
  ],
  [
    'truth is what is not zero',
    tensor('float32', [3], [0.5, -0, NaN]),
    'bool',
    tensor('bool', [3], [true, false, true]),
  ],
  ['truth is one', tensor('bool', [2], [true, false]), 'int64', tensor('int64', [2], [1n, 0n])],
])('cast: %s', (_, from, to, expected) => {
  expect(castTensor(from, to)).toEqual(expected);
  expect(Weight.from(from).cast(to).peek()).toEqual(expected);
});

test('what does not fit is refused', () => {
  const weight = Weight.from(letters);
  expect(() => weight.reshape([5])).toThrow('core/invalid-shape');
  expect(() => weight.slice(1, 2, 2)).toThrow('core/invalid-shape');
  expect(() => weight.slice(1, -1, 2)).toThrow('core/invalid-shape');
  expect(() => weight.slice(2, 0, 1)).toThrow('core/invalid-shape');
  expect(() => weight.transpose([0, 0])).toThrow('core/invalid-shape');
  expect(() => weight.transpose([0])).toThrow('core/invalid-shape');
  expect(() => weight.permuteBlocks(1, [1, 0])).toThrow('core/invalid-shape');
  expect(() => Weight.concat([weight, weight.transpose([1, 0])], 0)).toThrow('core/invalid-shape');
  expect(() => Weight.concat([], 0)).toThrow('core/invalid-shape');
});

test('a join of more parts than can be walked is refused', () => {
  let weight = Weight.from(tensor('float32', [0], []));
  for (let i = 0; i < 14; i++) weight = Weight.concat([weight, weight], 0);
  expect(weight.partCount).toBe(16_384);
  expect(() => Weight.concat([weight, weight], 0)).toThrow('core/limit');
});

test('sameness is that of steps and elements', () => {
  const one = () => Weight.from(letters);
  expect(one().same(one())).toBe(true);
  expect(
    one()
      .transpose([1, 0])
      .same(one().transpose([1, 0])),
  ).toBe(true);
  expect(one().reverse(0).same(one().reverse(1))).toBe(false);
  expect(one().same(Weight.from(tensor('float32', [2, 3], [1, 2, 3, 4, 5, 7])))).toBe(false);
  expect(one().same(one().reshape([3, 2]))).toBe(false);
});
