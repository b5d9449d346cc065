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

/** Some windows over one channel. */
interface PoolWindows {
  /** Offsets of the elements that lie in a window, window after window. */
  readonly places: Int32Array;
  /** For each window where its places end. */
  readonly ends: Int32Array;
  /**
   * For each window how many taps lie in the input or its padding, which leaves out those that
   * `ceil` lets reach behind it.
   */
  readonly padded: Int32Array;
}

/**
 * Sets elements of y from `to` on, `step` apart, to what a reduction makes of the windows over the
 * channel that begins at `from` of x. Each operator has a loop of its own, as in `UnaryLoop`.
 */
export type PoolLoop = (
  windows: PoolWindows,
  x: Float64Array,
  from: number,
  y: Float64Array,
  to: number,
  step: number,
) => void;

/** Reduces the elements of each window that lie in the input. */
export function pool(x: Tensor, attrs: Pooling, loop: PoolLoop): Tensor {
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
  const width = positionsAtOnce(reach, count);
  for (let first = 0; first < count; first += width) {
    const now = Math.min(width, count - first);
    const windows = windowsOf(
      tapOffsets(whole, first, now, source.element),
      tapOffsets(padded, first, now, 1),
      now,
    );
    for (let n = 0; n < batch; n++) {
      for (let c = 0; c < channels; c++) {
        const to = n * target.batch + c * target.channel + first * target.element;
        loop(windows, from, n * source.batch + c * source.channel, data, to, target.element);
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}

/** Windows from the offsets of their taps, in the input and in the padded input; -1 is outside. */
function windowsOf(offsets: Int32Array, inside: Int32Array, count: number): PoolWindows {
  const [ends, padded] = [new Int32Array(count), new Int32Array(count)];
  const places = offsets.filter((offset) => offset >= 0);
  const taps = offsets.length / count;
  for (let window = 0, end = 0; window < count; window++) {
    for (let at = window * taps; at < (window + 1) * taps; at++) {
      if (offsets[at]! >= 0) end++;
      if (inside[at]! >= 0) padded[window]!++;
    }
    ends[window] = end;
  }
  return { places, ends, padded };
}
