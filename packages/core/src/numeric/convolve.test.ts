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

const layouts = ['channelsFirst', 'channelsLast'] as const;
const simple = { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1 };

// prettier-ignore
const convolutions = [
  { what: 'in groups', channels: 4, filters: 6, sizes: [height, width], kernel: [3, 3], ...window },
  { what: 'of many channels', channels: 40, filters: 35, sizes: [12, 13], kernel: [3, 3], ...simple, pads: [1, 2, 0, 1] },
  { what: 'of wide filters', channels: 2, filters: 5, sizes: [9, 6], kernel: [3, 7], ...simple, dilations: [1, 2], pads: [1, 6, 1, 6] },
  { what: 'of single elements', channels: 6, filters: 9, sizes: [13, 11], kernel: [1, 1], ...simple },
  { what: 'of single elements, some left out', channels: 6, filters: 9, sizes: [13, 11], kernel: [1, 1], ...simple, strides: [2, 3] },
  { what: 'of single elements and padding', channels: 3, filters: 4, sizes: [5, 4], kernel: [1, 1], ...simple, pads: [0, 1, 1, 0] },
  { what: 'along the outer axis', channels: 3, filters: 5, sizes: [40, 1], kernel: [6, 1], ...simple, strides: [3, 1] },
  { what: 'of one element', channels: 3, filters: 5, sizes: [1, 1], kernel: [1, 1], ...simple },
  { what: 'of padding before one element', channels: 3, filters: 4, sizes: [1, 3], kernel: [1, 1], ...simple, strides: [2, 1], pads: [1, 0, 0, 1] },
  { what: 'of padding around one element', channels: 5, filters: 5, sizes: [1, 1], kernel: [3, 3], ...simple, pads: [2, 2, 2, 2], groups: 5 },
  { what: 'of each channel', channels: 5, filters: 5, sizes: [12, 14], kernel: [3, 4], ...simple, strides: [1, 2], dilations: [2, 1], pads: [2, 1, 1, 2], groups: 5 },
  { what: 'of each channel by several filters', channels: 3, filters: 12, sizes: [9, 8], kernel: [3, 3], ...simple, groups: 3 },
  { what: 'by one filter', channels: 7, filters: 1, sizes: [12, 11], kernel: [4, 3], ...simple, strides: [2, 1], pads: [3, 2, 3, 2] },
];

describe.each(layouts)('a convolution is its definition: %s', (layout) => {
  const shaped = (channels: number, sizes: readonly number[]) =>
    layout === 'channelsFirst' ? [2, channels, ...sizes] : [2, ...sizes, channels];
  const at = ({ shape, data }: Tensor, n: number, c: number, i: number, j: number) => {
    const [channels, rows, columns] =
      layout === 'channelsFirst'
        ? [shape[1]!, shape[2]!, shape[3]!]
        : [shape[3]!, shape[1]!, shape[2]!];
    if (i < 0 || j < 0 || i >= rows || j >= columns) return 0;
    const place =
      layout === 'channelsFirst'
        ? ((n * channels + c) * rows + i) * columns + j
        : ((n * rows + i) * columns + j) * channels + c;
    return (data as Float64Array)[place]!;
  };

  test.each(convolutions)('$what', ({ channels, filters, sizes, kernel, ...attrs }) => {
    const { strides, dilations, pads, groups } = attrs;
    const depth = channels / groups;
    const x = integers(1, ...shaped(channels, sizes));
    const w = integers(5, filters, depth, ...kernel);
    const bias = integers(3, filters);
    const y = convolve(x, w, bias, { layout, padding: 'explicit', ...attrs });
    const positions = [0, 1].map(
      (a) =>
        Math.floor(
          (sizes[a]! + pads[a]! + pads[a + 2]! - dilations[a]! * (kernel[a]! - 1) - 1) /
            strides[a]!,
        ) + 1,
    );
    expect(y.shape).toEqual(shaped(filters, positions));
    const defined = new Float64Array(sizeOf(y.shape));
    const found = new Float64Array(sizeOf(y.shape));
    let place = 0;
    for (let n = 0; n < 2; n++)
      for (let o = 0; o < filters; o++)
        for (let i = 0; i < positions[0]!; i++)
          for (let j = 0; j < positions[1]!; j++, place++) {
            const first = Math.floor((o * groups) / filters) * depth;
            let sum = toNumbers(bias)[o]!;
            for (let c = 0; c < depth; c++)
              for (let k = 0; k < kernel[0]!; k++)
                for (let l = 0; l < kernel[1]!; l++)
                  sum +=
                    toNumbers(w)[((o * depth + c) * kernel[0]! + k) * kernel[1]! + l]! *
                    at(
                      x,
                      n,
                      first + c,
                      i * strides[0]! + k * dilations[0]! - pads[0]!,
                      j * strides[1]! + l * dilations[1]! - pads[1]!,
                    );
            defined[place] = sum;
            found[place] = at(y, n, o, i, j);
          }
    expect(found).toEqual(defined);
  });
});

test.each(layouts)('a transposed convolution is the adjoint of the convolution: %s', (layout) => {
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
});
