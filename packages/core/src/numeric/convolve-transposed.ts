import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { TransposedConvolution } from '../typing/transposed-convolution.js';
import { shapeIn, spatialOf } from '../typing/window.js';
import { addRowTimesMatrix, columnsAtOnce, stepsIn, tapOffsets } from './taps.js';

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
  if (bias)
    for (let i = 0; i < data.length; i++)
      data[i] = toNumbers(bias)[Math.floor((i % target.batch) / target.channel) % filters]!;
  const columns = columnsAtOnce(depth, count);
  const [seen, sums] = [new Float64Array(depth * columns), new Float64Array(columns)];
  for (let first = 0; first < count; first += columns) {
    const width = Math.min(columns, count - first);
    const offsets = tapOffsets(
      { ...attrs, positions, kernel, sizes, begins: attrs.pads },
      first,
      width,
      target.element,
    );
    for (let group = 0; group < batch * groups; group++) {
      const [n, g] = [Math.floor(group / groups), group % groups];
      for (let c = 0; c < depth; c++) {
        const base = n * source.batch + (g * depth + c) * source.channel + first * source.element;
        for (let p = 0; p < width; p++) seen[c * width + p] = from[base + p * source.element]!;
      }
      const rows = (filters / groups) * taps;
      for (let row = 0; row < rows; row++) {
        sums.fill(0);
        addRowTimesMatrix(weights, g * depth * rows + row, rows, seen, depth, width, sums);
        const base =
          n * target.batch + ((g * filters) / groups + Math.floor(row / taps)) * target.channel;
        const offset = (row % taps) * width;
        for (let p = 0; p < width; p++)
          if (offsets[offset + p]! >= 0) data[base + offsets[offset + p]!]! += sums[p]!;
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}
