import type { Tensor } from '../tensor/tensor.js';
import { sizeOf, toNumbers } from '../tensor/tensor.js';
import { padsFor, spatialOf, type Layout } from '../typing/window.js';
import type { Convolution } from './convolve.js';
import { matrixProduct } from './multiply.js';
import { stepsIn, type Taps } from './taps.js';

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
  const [sizes, positions] = [x, result].map(({ shape }) => spatialOf(layout, shape));
  const kernel = w.shape.slice(2);
  const [batch, filters, depth] = [x.shape[0]!, w.shape[0]!, w.shape[1]!];
  const held = windowSums(channelSquares(toNumbers(x), groups, depth, layout, sizes!), {
    sizes: sizes!,
    positions: positions!,
    kernel,
    strides: attrs.strides,
    dilations: attrs.dilations,
    begins: padsFor(sizes!, kernel, attrs).map(([begin]) => begin),
  });
  const squares = rowSquares(toNumbers(w), filters);
  const terms = depth * sizeOf(kernel);
  const target = stepsIn(layout, filters, positions!);
  const each = filters / groups;
  const count = sizeOf(positions!);
  const out = new Float64Array(sizeOf(result.shape));
  for (let n = 0; n < batch; n++)
    for (let filter = 0; filter < filters; filter++) {
      const mean = squares[filter]! / terms;
      const from = (n * groups + Math.floor(filter / each)) * count;
      let to = n * target.batch + filter * target.channel;
      for (let p = 0; p < count; p++, to += target.element) out[to] = mean * held[from + p]!;
    }
  return out;
}

/** Sums of the squares of the channels of each group, for each batch element: groups of images. */
function channelSquares(
  x: Float64Array,
  groups: number,
  depth: number,
  layout: Layout,
  sizes: readonly number[],
): Float64Array {
  const count = sizeOf(sizes);
  const { channel, element } = stepsIn(layout, groups * depth, sizes);
  const sums = new Float64Array(x.length / depth);
  for (let grid = 0, from = 0; from < sums.length; grid++, from += count) {
    const first =
      Math.floor(grid / groups) * groups * depth * count + (grid % groups) * depth * channel;
    for (let c = 0; c < depth; c++) {
      let at = first + c * channel;
      for (let p = 0; p < count; p++, at += element) sums[from + p]! += x[at]! * x[at]!;
    }
  }
  return sums;
}

/** Sums over the windows of grids that follow one another, one axis after the other. */
function windowSums(
  grids: Float64Array,
  { sizes, positions, kernel, strides, dilations, begins }: Taps,
): Float64Array {
  let values = grids;
  let outer = sizeOf(sizes) === 0 ? 0 : grids.length / sizeOf(sizes);
  for (const [axis, size] of sizes.entries()) {
    const [count, taps] = [positions[axis]!, kernel[axis]!];
    const [stride, begin] = [strides[axis]!, begins[axis]!];
    const inner = sizeOf(sizes.slice(axis + 1));
    if (count !== size || taps !== 1 || stride !== 1 || begin !== 0) {
      const sums = new Float64Array(outer * count * inner);
      for (let tap = 0; tap < taps; tap++) {
        const start = tap * dilations[axis]! - begin;
        const first = Math.max(0, Math.ceil(-start / stride));
        const end = Math.min(count, Math.floor((size - 1 - start) / stride) + 1);
        for (let o = 0; o < outer; o++)
          addLines(sums, (o * count + first) * inner, inner, {
            values,
            from: (o * size + first * stride + start) * inner,
            step: stride * inner,
            lines: end - first,
          });
      }
      values = sums;
    }
    outer *= count;
  }
  return values;
}

/** Adds lines of numbers, `step` apart, to lines that follow one another. */
function addLines(
  sums: Float64Array,
  to: number,
  length: number,
  added: {
    readonly values: Float64Array;
    readonly from: number;
    readonly step: number;
    readonly lines: number;
  },
): void {
  const { values, step, lines } = added;
  let { from } = added;
  if (length === 1)
    for (const end = to + lines; to < end; to++, from += step) sums[to]! += values[from]!;
  else
    for (let line = 0; line < lines; line++, to += length, from += step)
      for (let k = 0; k < length; k++) sums[to + k]! += values[from + k]!;
}

/** The same for a product of matrices, which may have dimensions before that broadcast. */
export function productSquares(a: Tensor, b: Tensor): Float64Array {
  const [m, k, n] = [a.shape.at(-2)!, a.shape.at(-1)!, b.shape.at(-1)!];
  const rows = rowSquares(toNumbers(a), sizeOf(a.shape) / k).map((sum) => sum / k);
  const values = toNumbers(b);
  const columns = new Float64Array(sizeOf(b.shape) / k);
  for (let row = 0, from = 0; from < values.length; row++, from += n) {
    const to = Math.floor(row / k) * n;
    for (let j = 0; j < n; j++) columns[to + j]! += values[from + j]! * values[from + j]!;
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
