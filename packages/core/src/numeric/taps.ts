import { stridesOf } from '../tensor/strides.js';
import { sizeOf } from '../tensor/tensor.js';
import type { Layout } from '../typing/window.js';

/**
 * Windows over a spatial grid: tap t of position p touches element stride * p + dilation * t -
 * begin of each axis.
 */
export interface Taps {
  /** Number of positions, taps and touched elements along each axis. */
  readonly positions: readonly number[];
  readonly kernel: readonly number[];
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly begins: readonly number[];
}

/**
 * How to step through a tensor of a layout: from one batch element, channel or spatial element (in
 * C order) to the next.
 */
export interface Steps {
  readonly batch: number;
  readonly channel: number;
  readonly element: number;
}

/** The steps through a tensor of these sizes. */
export function stepsIn(layout: Layout, channels: number, spatial: readonly number[]): Steps {
  const size = sizeOf(spatial);
  return {
    batch: channels * size,
    channel: layout === 'channelsFirst' ? size : 1,
    element: layout === 'channelsFirst' ? 1 : channels,
  };
}

/**
 * The touched element, times `step`, of each tap of `count` positions from `first` on: tap t of the
 * p-th of them is element `p * taps + t`, in C order of the axes; -1 where the tap lies outside.
 */
export function tapOffsets(
  { positions, kernel, sizes, strides, dilations, begins }: Taps,
  first: number,
  count: number,
  step: number,
): Int32Array {
  const rank = sizes.length;
  const taps = sizeOf(kernel);
  const out = new Int32Array(taps * count);
  const [own, inner, target] = [stridesOf(positions), stridesOf(kernel), stridesOf(sizes)];
  const reach = new Int32Array(taps * rank);
  for (let tap = 0; tap < taps; tap++)
    for (let axis = 0; axis < rank; axis++)
      reach[tap * rank + axis] =
        (Math.floor(tap / inner[axis]!) % kernel[axis]!) * dilations[axis]!;
  const starts = new Int32Array(rank);
  for (let p = 0, at = 0; p < count; p++) {
    for (let axis = 0; axis < rank; axis++)
      starts[axis] =
        (Math.floor((first + p) / own[axis]!) % positions[axis]!) * strides[axis]! - begins[axis]!;
    for (let tap = 0; tap < taps; tap++, at++) {
      let offset = 0;
      for (let axis = 0; axis < rank; axis++) {
        const place = starts[axis]! + reach[tap * rank + axis]!;
        if (place < 0 || place >= sizes[axis]!) {
          offset = -1;
          break;
        }
        offset += place * target[axis]! * step;
      }
      out[at] = offset;
    }
  }
  return out;
}

/** Positions to work on at a time, `size` numbers each, so that these stay in the cache. */
export function positionsAtOnce(size: number, positions: number): number {
  return Math.max(1, Math.min(positions, Math.max(32, Math.floor(65536 / size))));
}

/** Sets each element of a tensor of these steps to the number of its channel. */
export function fillChannels(
  data: Float64Array,
  numbers: Float64Array,
  { batch, channel }: Steps,
): void {
  if (channel === 1) for (let at = 0; at < data.length; at += numbers.length) data.set(numbers, at);
  else
    for (let at = 0; at < data.length; at += channel)
      data.fill(numbers[(at % batch) / channel]!, at, at + channel);
}
