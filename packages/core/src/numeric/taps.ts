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
export function stepsIn(
  layout: Layout,
  channels: number,
  spatial: readonly number[],
): { batch: number; channel: number; element: number } {
  const size = sizeOf(spatial);
  return {
    batch: channels * size,
    channel: layout === 'channelsFirst' ? size : 1,
    element: layout === 'channelsFirst' ? 1 : channels,
  };
}

/** Indices of position or tap `at` in C order of `sizes`. */
function indices(at: number, sizes: readonly number[], strides: readonly number[]): number[] {
  return sizes.map((size, axis) => Math.floor(at / strides[axis]!) % size);
}

/**
 * The touched element, times `step`, of each tap (rows) of `count` positions from `first` on
 * (columns), in C order of the axes; -1 where the tap lies outside.
 */
export function tapOffsets(
  { positions, kernel, sizes, strides, dilations, begins }: Taps,
  first: number,
  count: number,
  step: number,
): Int32Array {
  const taps = sizeOf(kernel);
  const out = new Int32Array(taps * count);
  const [own, inner, target] = [stridesOf(positions), stridesOf(kernel), stridesOf(sizes)];
  const tapIndices = Array.from({ length: taps }, (_, tap) => indices(tap, kernel, inner));
  for (let p = 0; p < count; p++) {
    const starts = indices(first + p, positions, own).map(
      (index, axis) => index * strides[axis]! - begins[axis]!,
    );
    for (let tap = 0; tap < taps; tap++) {
      const index = tapIndices[tap]!;
      let offset = 0;
      for (let axis = 0; axis < sizes.length; axis++) {
        const at = starts[axis]! + index[axis]! * dilations[axis]!;
        if (at < 0 || at >= sizes[axis]!) {
          offset = -1;
          break;
        }
        offset += at * target[axis]! * step;
      }
      out[tap * count + p] = offset;
    }
  }
  return out;
}

/**
 * Sum over k of weights[first + k * stride] * matrix[k, p], for each column p of a matrix of `rows`
 * rows and `count` columns, added to `out`.
 */
export function addRowTimesMatrix(
  weights: Float64Array,
  first: number,
  stride: number,
  matrix: Float64Array,
  rows: number,
  count: number,
  out: Float64Array,
): void {
  let k = 0;
  // Four rows at a time: the sums stay in registers, which is three times as fast as one.
  for (; k + 3 < rows; k += 4) {
    const at = first + k * stride;
    const [w0, w1, w2, w3] = [
      weights[at]!,
      weights[at + stride]!,
      weights[at + 2 * stride]!,
      weights[at + 3 * stride]!,
    ];
    const [r0, r1, r2, r3] = [k * count, (k + 1) * count, (k + 2) * count, (k + 3) * count];
    for (let p = 0; p < count; p++)
      out[p]! +=
        w0 * matrix[r0 + p]! + w1 * matrix[r1 + p]! + (w2 * matrix[r2 + p]! + w3 * matrix[r3 + p]!);
  }
  for (; k < rows; k++) {
    const w = weights[first + k * stride]!;
    for (let p = 0; p < count; p++) out[p]! += w * matrix[k * count + p]!;
  }
}

/** Columns to work on at a time so that a matrix of `rows` rows stays in the cache. */
export function columnsAtOnce(rows: number, positions: number): number {
  return Math.max(1, Math.min(positions, Math.max(32, Math.floor(65536 / rows))));
}
