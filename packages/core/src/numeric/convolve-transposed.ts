import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { TransposedConvolution } from '../typing/transposed-convolution.js';
import { shapeIn, spatialOf } from '../typing/window.js';
import { addProduct, packLines } from './add-product.js';
import { fillChannels, positionsAtOnce, stepsIn, tapOffsets } from './taps.js';

/**
 * Transposed convolution in float64 to a result of these spatial sizes (see the operator
 * ConvTranspose): for a few elements at a time, what they contribute to each tap of each filter,
 * added up where the taps fall.
 */
export function convolveTransposed(
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  sizes: readonly number[],
  attrs: TransposedConvolution,
): Tensor {
  const { layout, groups } = attrs;
  const [positions, kernel] = [spatialOf(layout, x.shape), w.shape.slice(2)];
  const [batch, depth, filters] = [x.shape[0]!, w.shape[0]! / groups, w.shape[1]! * groups];
  const [count, taps] = [sizeOf(positions), sizeOf(kernel)];
  const shape = shapeIn(layout, batch, filters, sizes);
  const [from, weights, data] = [
    toNumbers(x),
    toNumbers(w),
    allocate(x.dtype, sizeOf(shape)) as Float64Array,
  ];
  const [source, target] = [
    stepsIn(layout, depth * groups, positions),
    stepsIn(layout, filters, sizes),
  ];
  if (bias) fillChannels(data, toNumbers(bias), target);
  const rows = w.shape[1]! * taps;
  const width = positionsAtOnce(rows, count);
  const sums = new Float64Array(rows * width);
  for (let first = 0; first < count; first += width) {
    const columns = Math.min(width, count - first);
    const offsets = tapOffsets(
      { ...attrs, positions, kernel, sizes, begins: attrs.pads },
      first,
      columns,
      target.element,
    );
    for (let group = 0; group < batch * groups; group++) {
      const [n, g] = [Math.floor(group / groups), group % groups];
      const base = n * source.batch + g * depth * source.channel + first * source.element;
      sums.fill(0);
      addProduct(
        packLines(weights, g * depth * rows, 1, rows),
        packLines(from, base, source.element, source.channel),
        { data: sums, from: 0, rowStep: columns, columnStep: 1 },
        rows,
        depth,
        columns,
      );
      const to = n * target.batch + g * w.shape[1]! * target.channel;
      scatter(sums, offsets, data, to, target.channel, taps, rows, columns);
    }
  }
  return { dtype: x.dtype, shape, data };
}

/** Adds what each tap of each filter contributes where its offset says, if that is inside. */
function scatter(
  sums: Float64Array,
  offsets: Int32Array,
  y: Float64Array,
  to: number,
  step: number,
  taps: number,
  rows: number,
  columns: number,
): void {
  for (let row = 0, at = 0; row < rows; row++) {
    const [base, tap] = [to + Math.floor(row / taps) * step, row % taps];
    for (let p = tap; p < columns * taps; p += taps, at++)
      if (offsets[p]! >= 0) y[base + offsets[p]!]! += sums[at]!;
  }
}
