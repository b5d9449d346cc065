import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { convolve, type Convolution } from './convolve.js';
import { convolutionSquares } from './term-squares.js';

const filled = (shape: readonly number[], f: (i: number) => number): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => f(i)),
});

const plain = { strides: [1], dilations: [1], padding: 'explicit', pads: [0, 0] } as const;
const square = { strides: [1, 1], dilations: [1, 1], padding: 'explicit' } as const;

// prettier-ignore
const cases: [string, number[], number[], Convolution][] = [
  ['a line', [2, 3, 9], [4, 3, 3], { ...plain, layout: 'channelsFirst', groups: 1 }],
  ['steps and gaps', [1, 2, 11], [3, 2, 2], { ...plain, strides: [2], dilations: [3], pads: [1, 2], layout: 'channelsFirst', groups: 1 }],
  ['an image in groups', [2, 4, 5, 6], [6, 2, 3, 2], { ...square, pads: [1, 0, 1, 1], layout: 'channelsFirst', groups: 2 }],
  ['channels last', [2, 5, 6, 4], [6, 2, 3, 2], { ...square, pads: [1, 0, 1, 1], layout: 'channelsLast', groups: 2 }],
  ['one element', [2, 4, 3, 3], [5, 4, 1, 1], { ...square, pads: [0, 0, 0, 0], layout: 'channelsFirst', groups: 1 }],
  ['each channel alone', [1, 7, 7, 3], [3, 1, 3, 3], { ...square, strides: [2, 2], padding: 'sameUpper', pads: [0, 0, 0, 0], layout: 'channelsLast', groups: 3 }],
  ['a window wider than the image', [1, 1, 2], [1, 1, 5], { ...plain, pads: [3, 3], layout: 'channelsFirst', groups: 1 }],
  ['three axes', [1, 2, 3, 4, 5], [2, 2, 2, 3, 2], { strides: [1, 2, 1], dilations: [1, 1, 2], padding: 'explicit', pads: [1, 1, 1, 0, 1, 1], layout: 'channelsFirst', groups: 1 }],
];

it.each(cases)('sums squares over windows: %s', (_, shape, filters, attrs) => {
  const x = filled(shape, (i) => Math.sin(i + 1));
  const w = filled(filters, (i) => Math.cos(i));
  const result = convolve(x, w, undefined, attrs);
  // The sum of squares that each window sees is a convolution of squares by ones, and all terms of
  // a filter count as its mean square.
  const per = sizeOf(filters.slice(1));
  const means = filled(filters, () => 0);
  for (let filter = 0; filter < filters[0]!; filter++) {
    const own = toNumbers(w).slice(filter * per, (filter + 1) * per);
    const mean = own.reduce((sum, value) => sum + value * value, 0) / per;
    toNumbers(means).fill(mean, filter * per, (filter + 1) * per);
  }
  const squares = filled(shape, (i) => Math.sin(i + 1) ** 2);
  const expected = toNumbers(convolve(squares, means, undefined, attrs));
  const given = convolutionSquares(x, w, result, attrs);
  expect(given.length).toBe(expected.length);
  given.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12));
});
