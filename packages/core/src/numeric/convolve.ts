import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import {
  channelAxis,
  padsFor,
  settled,
  shapeIn,
  spatialOf,
  windowCounts,
  type Layout,
  type Sliding,
} from '../typing/window.js';
import { addRowTimesMatrix, columnsAtOnce, stepsIn, tapOffsets } from './taps.js';

/** What a convolution states beside its operands. */
export interface Convolution extends Sliding {
  readonly layout: Layout;
  readonly groups: number;
}

/**
 * Cross-correlation in float64 (see the operator Conv): for a few positions at a time, filters
 * times the matrix of the elements that they see.
 */
export function convolve(
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  attrs: Convolution,
): Tensor {
  const { layout, groups } = attrs;
  const [sizes, kernel] = [spatialOf(layout, x.shape), w.shape.slice(2)];
  const positions = settled(windowCounts(sizes, kernel, attrs));
  const [batch, channels, filters] = [
    x.shape[0]!,
    x.shape[channelAxis(layout, x.shape.length)]!,
    w.shape[0]!,
  ];
  const [depth, count, taps] = [w.shape[1]!, sizeOf(positions), sizeOf(kernel)];
  const shape = shapeIn(layout, batch, filters, positions);
  const [from, weights, biases, data] = [
    toNumbers(x),
    toNumbers(w),
    bias && toNumbers(bias),
    allocate(x.dtype, sizeOf(shape)) as Float64Array,
  ];
  const [source, target] = [stepsIn(layout, channels, sizes), stepsIn(layout, filters, positions)];
  const windows = {
    ...attrs,
    positions,
    kernel,
    sizes,
    begins: padsFor(sizes, kernel, attrs).map(([begin]) => begin),
  };
  const columns = columnsAtOnce(depth * taps, count);
  const [seen, sums] = [new Float64Array(depth * taps * columns), new Float64Array(columns)];
  for (let first = 0; first < count; first += columns) {
    const width = Math.min(columns, count - first);
    const offsets = tapOffsets(windows, first, width, source.element);
    for (let group = 0; group < batch * groups; group++) {
      const [n, g] = [Math.floor(group / groups), group % groups];
      for (let c = 0; c < depth; c++) {
        const [base, row] = [n * source.batch + (g * depth + c) * source.channel, c * taps * width];
        for (let i = 0; i < taps * width; i++)
          seen[row + i] = offsets[i]! < 0 ? 0 : from[base + offsets[i]!]!;
      }
      for (let o = (g * filters) / groups; o < ((g + 1) * filters) / groups; o++) {
        sums.fill(biases ? biases[o]! : 0);
        addRowTimesMatrix(weights, o * depth * taps, 1, seen, depth * taps, width, sums);
        const base = n * target.batch + o * target.channel + first * target.element;
        for (let p = 0; p < width; p++) data[base + p * target.element] = sums[p]!;
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}
