import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { isInt } from '../tensor/dtype.js';
import { broadcastStrides, walk } from '../tensor/strides.js';
import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
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

/**
 * Adds the product of two row-major matrices to a third. Four rows of `b` pass for two rows of `a`
 * at a time.
 */
function multiplyMatrices(a: Float64Array, b: Float64Array, y: Float64Array, at: Product): void {
  const { m, k, n } = at;
  let i = 0;
  for (; i + 2 <= m; i += 2) {
    const [row, next] = [at.a + i * k, at.a + (i + 1) * k];
    const [o, u] = [at.y + i * n, at.y + (i + 1) * n];
    let p = 0;
    for (; p + 4 <= k; p += 4) {
      const [a0, a1, a2, a3] = [a[row + p]!, a[row + p + 1]!, a[row + p + 2]!, a[row + p + 3]!];
      const [c0, c1, c2, c3] = [a[next + p]!, a[next + p + 1]!, a[next + p + 2]!, a[next + p + 3]!];
      const [b0, b1, b2, b3] = [
        at.b + p * n,
        at.b + (p + 1) * n,
        at.b + (p + 2) * n,
        at.b + (p + 3) * n,
      ];
      for (let j = 0; j < n; j++) {
        const [x0, x1, x2, x3] = [b[b0 + j]!, b[b1 + j]!, b[b2 + j]!, b[b3 + j]!];
        y[o + j]! += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3;
        y[u + j]! += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3;
      }
    }
    for (; p < k; p++) {
      const [a0, c0, b0] = [a[row + p]!, a[next + p]!, at.b + p * n];
      for (let j = 0; j < n; j++) {
        y[o + j]! += a0 * b[b0 + j]!;
        y[u + j]! += c0 * b[b0 + j]!;
      }
    }
  }
  if (i < m) multiplyRow(a, at.a + i * k, b, at.b, y, at.y + i * n, k, n);
}

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
  const run = (multiply: (at: Product) => void) =>
    walk(outer, [broadcastStrides(outerA, outer), broadcastStrides(outerB, outer)], (i, [p, q]) =>
      multiply({ a: p! * m * k, b: q! * k * n, y: i * m * n, m, k, n }),
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
