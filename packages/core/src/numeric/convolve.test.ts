import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { convolveTransposed } from './convolve-transposed.js';
import { convolve } from './convolve.js';

/** Small integers, so that every sum is exact in any order. */
const integers = (seed: number, ...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: new Float64Array(sizeOf(shape)).map((_, i) => (((i + seed) * 7919) % 23) - 11),
});
const inner = (a: Tensor, b: Tensor) =>
  toNumbers(a).reduce((sum, value, i) => sum + value * toNumbers(b)[i]!, 0);

// More positions than are worked on at a time.
const [height, width] = [90, 100];
const window = { strides: [1, 2], dilations: [2, 1], pads: [2, 1, 1, 0], groups: 2 };

test.each(['channelsFirst', 'channelsLast'] as const)(
  'a large convolution is its definition: %s',
  (layout) => {
    const [x, w] = [
      integers(1, ...(layout === 'channelsFirst' ? [1, 4, height, width] : [1, height, width, 4])),
      integers(5, 6, 2, 3, 3),
    ];
    const y = convolve(x, w, undefined, { layout, padding: 'explicit', ...window });
    const at = ({ shape, data }: Tensor, c: number, i: number, j: number) => {
      const [rows, columns, channels] =
        layout === 'channelsFirst'
          ? [shape[2]!, shape[3]!, shape[1]!]
          : [shape[1]!, shape[2]!, shape[3]!];
      if (i < 0 || j < 0 || i >= rows || j >= columns) return 0;
      return (data as Float64Array)[
        layout === 'channelsFirst' ? (c * rows + i) * columns + j : (i * columns + j) * channels + c
      ]!;
    };
    const sizes = [89, 50];
    expect(y.shape).toEqual(layout === 'channelsFirst' ? [1, 6, ...sizes] : [1, ...sizes, 6]);
    for (let o = 0; o < 6; o++) {
      for (let i = 0; i < sizes[0]!; i += 4) {
        for (let j = 0; j < sizes[1]!; j++) {
          let sum = 0;
          for (let c = 0; c < 2; c++) {
            for (let k = 0; k < 9; k++)
              sum +=
                toNumbers(w)[(o * 2 + c) * 9 + k]! *
                at(x, (o < 3 ? 0 : 2) + c, i + 2 * Math.floor(k / 3) - 2, 2 * j + (k % 3) - 1);
          }
          expect(at(y, o, i, j)).toBe(sum);
        }
      }
    }
  },
);

test.each(['channelsFirst', 'channelsLast'] as const)(
  'a transposed convolution is the adjoint of the convolution: %s',
  (layout) => {
    const shape = (channels: number, spatial: readonly number[]) =>
      layout === 'channelsFirst' ? [2, channels, ...spatial] : [2, ...spatial, channels];
    const [x, y, w] = [
      integers(1, ...shape(4, [height, width])),
      integers(9, ...shape(6, [89, 50])),
      integers(5, 6, 2, 3, 3),
    ];
    const forward = convolve(x, w, undefined, { layout, padding: 'explicit', ...window });
    const back = convolveTransposed(y, w, undefined, [height, width], {
      layout,
      outputPadding: [0, 0],
      ...window,
    });
    expect(back.shape).toEqual(x.shape);
    expect(inner(forward, y)).toBe(inner(x, back));
    expect(inner(forward, y)).not.toBe(0);
  },
);
