import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { Pooling } from '../typing/pooling.js';
import {
  channelAxis,
  padsFor,
  settled,
  shapeIn,
  spatialOf,
  windowCounts,
} from '../typing/window.js';
import { positionsAtOnce, stepsIn, tapOffsets } from './taps.js';

/**
 * Reduces the elements of each window that lie in the input: the first `count` of `taps`. `padded`
 * is how many taps lie in the input or its padding, which leaves out those that `ceil` lets reach
 * behind it.
 */
export function pool(
  x: Tensor,
  attrs: Pooling,
  reduce: (taps: Float64Array, count: number, padded: number) => number,
): Tensor {
  const { layout, kernel } = attrs;
  const sizes = spatialOf(layout, x.shape);
  const positions = settled(windowCounts(sizes, kernel, attrs, attrs.ceil));
  const [batch, channels] = [x.shape[0]!, x.shape[channelAxis(layout, x.shape.length)]!];
  const [count, reach] = [sizeOf(positions), sizeOf(kernel)];
  const shape = shapeIn(layout, batch, channels, positions);
  const [from, data] = [toNumbers(x), new Float64Array(sizeOf(shape))];
  const [source, target] = [stepsIn(layout, channels, sizes), stepsIn(layout, channels, positions)];
  const pads = padsFor(sizes, kernel, attrs);
  const begins = pads.map(([begin]) => begin);
  const whole = { ...attrs, positions, sizes, begins };
  // The same windows over the padded input, whose padding counts as inside.
  const padded = {
    ...whole,
    sizes: sizes.map((size, i) => size + pads[i]![0] + pads[i]![1]),
    begins: begins.map(() => 0),
  };
  const taps = new Float64Array(reach);
  const width = positionsAtOnce(reach, count);
  for (let first = 0; first < count; first += width) {
    const now = Math.min(width, count - first);
    const offsets = tapOffsets(whole, first, now, source.element);
    const inside = tapOffsets(padded, first, now, 1);
    for (let plane = 0; plane < batch * channels; plane++) {
      const [n, c] = [Math.floor(plane / channels), plane % channels];
      const base = n * source.batch + c * source.channel;
      let out = n * target.batch + c * target.channel + first * target.element;
      for (let at = 0; at < offsets.length; out += target.element) {
        let real = 0;
        let all = 0;
        for (let tap = 0; tap < reach; tap++, at++) {
          if (offsets[at]! >= 0) taps[real++] = from[base + offsets[at]!]!;
          if (inside[at]! >= 0) all++;
        }
        data[out] = reduce(taps, real, all);
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}
