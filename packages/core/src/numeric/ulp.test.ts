import { coarser, precisionOf, ulpAt, ulpDistance } from './ulp.js';

describe('ulpAt', () => {
  it.each([
    [1, 'float32', 2 ** -23],
    [1.999, 'float32', 2 ** -23],
    [2, 'float32', 2 ** -22],
    [-0.75, 'float32', 2 ** -24],
    [0, 'float32', 2 ** -149],
    [2 ** -140, 'float32', 2 ** -149],
    [1, 'float64', 2 ** -52],
    [0, 'float64', 2 ** -1074],
    [2 ** -1060, 'float64', 2 ** -1074],
    [1, 'float16', 2 ** -10],
    [65504, 'float16', 32],
    [0, 'float16', 2 ** -24],
    [1, 'bfloat16', 2 ** -7],
  ] as const)('is the spacing at %d in %s', (value, dtype, expected) => {
    expect(ulpAt(value, dtype)).toBe(expected);
  });
});

describe('ulpDistance', () => {
  it.each([
    [1, 1 + 2 ** -23, 'float32', 1],
    [1, 1 - 2 ** -24, 'float32', 1],
    [1, 2, 'float32', 2 ** 23],
    [0, -0, 'float32', 0],
    [-(2 ** -149), 2 ** -149, 'float32', 2],
    [1, 1 + 2 ** -30, 'float32', 0],
    [NaN, NaN, 'float32', 0],
    [NaN, 1, 'float32', Infinity],
    [Infinity, Infinity, 'float32', 0],
    [Infinity, -Infinity, 'float32', Infinity],
    [Infinity, 3e38, 'float32', Infinity],
    [1, 1 + 2 ** -52, 'float64', 1],
    [2 ** -1074, -(2 ** -1074), 'float64', 2],
    // The last value below 1 and the first above differ in both words.
    [1 - 2 ** -53, 1 + 2 ** -52, 'float64', 2],
    [1, 2, 'float64', 2 ** 52],
    [1, 1 + 2 ** -10, 'float16', 1],
    [-1, 1, 'float16', 2 * 0x3c00],
    [1, 1 + 2 ** -7, 'bfloat16', 1],
  ] as const)('counts from %d to %d in %s', (a, b, dtype, expected) => {
    expect(ulpDistance(a, b, dtype)).toBe(expected);
    expect(ulpDistance(b, a, dtype)).toBe(expected);
  });
});

it('knows which type is coarser', () => {
  expect(coarser('float64', 'float32')).toBe('float32');
  expect(coarser('bfloat16', 'float16')).toBe('bfloat16');
  expect(precisionOf('int32')).toBeUndefined();
});
