import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { isInt } from '../tensor/dtype.js';
import { broadcastStrides, walk } from '../tensor/strides.js';
import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { addProduct, packLines } from './add-product.js';
import { wrapInteger } from './wrap-integer.js';

/**
 * Where the three matrices of a product begin in their storage, and its sizes: [m, k] times [k, n].
 */
interface Product {
  readonly a: number;
  readonly b: number;
  readonly y: number;
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** Adds the product of two row-major matrices to a third. */
function multiplyMatrices(a: Float64Array, b: Float64Array, y: Float64Array, at: Product): void {
  const { m, k, n } = at;
  // So few rows do not repay that `b` is copied.
  if (m < 4)
    for (let i = 0; i < m; i++) multiplyRow(a, at.a + i * k, b, at.b, y, at.y + i * n, k, n);
  else
    addProduct(
      packLines(a, at.a, k, 1),
      packLines(b, at.b, 1, n),
      { data: y, from: at.y, rowStep: n, columnStep: 1 },
      m,
      k,
      n,
    );
}

/** Adds a row times a matrix to a row: four rows of the matrix at a time. */
function multiplyRow(
  a: Float64Array,
  row: number,
  b: Float64Array,
  first: number,
  y: Float64Array,
  o: number,
  k: number,
  n: number,
): void {
  let p = 0;
  for (; p + 4 <= k; p += 4) {
    const [a0, a1, a2, a3] = [a[row + p]!, a[row + p + 1]!, a[row + p + 2]!, a[row + p + 3]!];
    const [b0, b1, b2, b3] = [
      first + p * n,
      first + (p + 1) * n,
      first + (p + 2) * n,
      first + (p + 3) * n,
    ];
    for (let j = 0; j < n; j++)
      y[o + j]! += a0 * b[b0 + j]! + a1 * b[b1 + j]! + a2 * b[b2 + j]! + a3 * b[b3 + j]!;
  }
  for (; p < k; p++) {
    const [a0, b0] = [a[row + p]!, first + p * n];
    for (let j = 0; j < n; j++) y[o + j]! += a0 * b[b0 + j]!;
  }
}

function multiplyIntegers(a: BigInt64Array, b: BigInt64Array, y: BigInt64Array, at: Product): void {
  const { m, k, n } = at;
  for (let i = 0; i < m; i++) {
    for (let p = 0; p < k; p++) {
      const x = a[at.a + i * k + p]!;
      for (let j = 0; j < n; j++) y[at.y + i * n + j]! += x * b[at.b + p * n + j]!;
    }
  }
}

/**
 * The matrix product of two tensors with at least two dimensions; those before the last two
 * broadcast. Integers wrap.
 */
export function matrixProduct(a: Tensor, b: Tensor): Tensor {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const outer = broadcastShapes(outerA, outerB) as readonly number[] | undefined;
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  if (!outer || b.shape.at(-2) !== k) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `[${a.shape.join(', ')}] cannot be multiplied by [${b.shape.join(', ')}].`,
      origin: { file: '' },
    });
  }
  const shape = [...outer, m, n];
  const data = allocate(a.dtype, sizeOf(shape));
  // The rows of all matrices are one matrix where they are multiplied by the same one.
  const rows = sizeOf(outerB) === 1 ? sizeOf(outer) * m : m;
  const run = (multiply: (at: Product) => void) =>
    rows > m
      ? multiply({ a: 0, b: 0, y: 0, m: rows, k, n })
      : walk(
          outer,
          [broadcastStrides(outerA, outer), broadcastStrides(outerB, outer)],
          (i, [p, q]) => multiply({ a: p! * m * k, b: q! * k * n, y: i * m * n, m, k, n }),
        );
  if (data instanceof Float64Array) {
    const [x, z] = [toNumbers(a), toNumbers(b)];
    run((at) => multiplyMatrices(x, z, data, at));
  } else {
    const [x, z] = [a.data as BigInt64Array, b.data as BigInt64Array];
    run((at) => multiplyIntegers(x, z, data as BigInt64Array, at));
  }
  return isInt(a.dtype)
    ? wrapInteger({ dtype: a.dtype, shape, data })
    : { dtype: a.dtype, shape, data };
}
