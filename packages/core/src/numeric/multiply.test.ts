import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { matrixProduct } from './multiply.js';

/** Small integers, so that every sum is exact in any order. */
const integers = (seed: number, ...shape: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: new Float64Array(sizeOf(shape)).map((_, i) => (((i + seed) * 7919) % 23) - 11),
});

// Sizes on both sides of a tile's edge, and more than are worked on at a time.
test.each([
  [1, 1, 1],
  [1, 70, 9],
  [3, 5, 130],
  [4, 4, 4],
  [5, 300, 6],
  [7, 3, 131],
  [37, 515, 5],
  [34, 2, 258],
])('a product of [%i, %i] and [.., %i] is its definition', (m, k, n) => {
  const [a, b] = [integers(1, m, k), integers(4, k, n)];
  const [x, z] = [toNumbers(a), toNumbers(b)];
  const defined = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let j = 0; j < n; j++)
      for (let p = 0; p < k; p++) defined[i * n + j]! += x[i * k + p]! * z[p * n + j]!;
  expect(matrixProduct(a, b)).toEqual({ dtype: 'float32', shape: [m, n], data: defined });
});

test.each([
  [
    [3, 1, 5, 6],
    [2, 6, 7],
    [3, 2, 5, 7],
  ],
  [
    [3, 2, 5, 6],
    [6, 7],
    [3, 2, 5, 7],
  ],
  [
    [5, 6],
    [4, 6, 7],
    [4, 5, 7],
  ],
])('matrices of %j and %j broadcast', (left, right, shape) => {
  const [a, b] = [integers(1, ...left), integers(4, ...right)];
  const product = matrixProduct(a, b);
  expect(product.shape).toEqual(shape);
  const matrix = (of: Tensor, at: number): Tensor => {
    const sizes = of.shape.slice(-2);
    const size = sizeOf(sizes);
    const count = sizeOf(of.shape) / size;
    return {
      dtype: 'float32',
      shape: sizes,
      data: toNumbers(of).slice((at % count) * size, ((at % count) + 1) * size),
    };
  };
  const count = sizeOf(shape.slice(0, -2));
  for (let i = 0; i < count; i++) {
    // Outer dimensions of 1 stand inside in the first case only.
    const p = left.length === 4 && left[1] === 1 ? Math.floor(i / 2) : i;
    expect(matrix(product, i)).toEqual(matrixProduct(matrix(a, p), matrix(b, i)));
  }
});
