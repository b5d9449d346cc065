import type { Tensor } from '../tensor/tensor.js';
import { sizeOf, toNumbers } from '../tensor/tensor.js';
import { convolve, type Convolution } from './convolve.js';
import { channelAxis } from '../typing/window.js';
import { stridesOf } from '../tensor/strides.js';
import { matrixProduct } from './multiply.js';

/**
 * Mean squares of the sums that the elements of a convolution are, were their terms independent:
 * what each window holds, times the mean square of the filter.
 */
export function convolutionSquares(
  x: Tensor,
  w: Tensor,
  result: Tensor,
  attrs: Convolution,
): Float64Array {
  const { groups, layout } = attrs;
  const ones = sizeOf([groups, ...w.shape.slice(1)]);
  const energy = convolve(
    { ...x, data: toNumbers(x).map((value) => value * value) },
    {
      dtype: w.dtype,
      shape: [groups, ...w.shape.slice(1)],
      data: new Float64Array(ones).fill(1),
    },
    undefined,
    attrs,
  );
  const filters = w.shape[0]!;
  const squares = rowSquares(toNumbers(w), filters).map((sum) => sum / (ones / groups));
  const [own, held] = [toNumbers(result), toNumbers(energy)];
  const axis = channelAxis(layout, x.shape.length);
  const inner = stridesOf(result.shape)[axis]!;
  const each = filters / groups;
  return own.map((_, i) => {
    const outer = Math.floor(i / inner);
    const [filter, batch] = [outer % filters, Math.floor(outer / filters)];
    const group = Math.floor(filter / each);
    return squares[filter]! * held[(batch * groups + group) * inner + (i % inner)]!;
  });
}

/** The same for a product of matrices, which may have dimensions before that broadcast. */
export function productSquares(a: Tensor, b: Tensor): Float64Array {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const rows = rowSquares(toNumbers(a), sizeOf(a.shape) / k).map((sum) => sum / k);
  const values = toNumbers(b);
  const columns = new Float64Array(sizeOf(b.shape) / k);
  for (let i = 0; i < values.length; i++) {
    const matrix = Math.floor(i / (k * n));
    columns[matrix * n + (i % n)]! += values[i]! * values[i]!;
  }
  const left = { dtype: a.dtype, shape: [...a.shape.slice(0, -2), m, 1], data: rows };
  const right = { dtype: b.dtype, shape: [...b.shape.slice(0, -2), 1, n], data: columns };
  return toNumbers(matrixProduct(left, right));
}

/** Sums of squares of the rows of a matrix. */
function rowSquares(values: Float64Array, rows: number): Float64Array {
  const width = values.length / rows;
  const sums = new Float64Array(rows);
  for (let row = 0; row < rows; row++)
    for (let i = row * width; i < (row + 1) * width; i++) sums[row]! += values[i]! * values[i]!;
  return sums;
}
