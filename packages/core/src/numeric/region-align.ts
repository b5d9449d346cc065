import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { indexOf } from './index-of.js';

/** What a resampling of regions states (see the operator RoiAlign). */
export interface RegionAlignment {
  readonly size: readonly number[];
  readonly samples: number;
  readonly scale: number;
  readonly offset: number;
  readonly atLeastOne: boolean;
}

/**
 * The elements of a line of `size` elements that make the value at a position, and their weights;
 * none more than one element outside.
 */
function taps(
  position: number,
  size: number,
): readonly (readonly [index: number, weight: number])[] {
  if (position < -1 || position > size) return [];
  const inside = Math.min(Math.max(position, 0), size - 1);
  const low = Math.floor(inside);
  return [
    [low, 1 - (inside - low)],
    [Math.min(low + 1, size - 1), inside - low],
  ];
}

/** Averages of linear samples in the bins of each region. */
export function alignRegions(
  x: Tensor,
  regions: Tensor,
  images: Tensor,
  attrs: RegionAlignment,
): Tensor {
  const { size, samples, scale, offset, atLeastOne } = attrs;
  const [count, channels, height, width] = x.shape as [number, number, number, number];
  const [rows, columns] = size as [number, number];
  const shape = [regions.shape[0]!, channels, rows, columns];
  const data = allocate(x.dtype, sizeOf(shape)) as Float64Array;
  const [from, corners, chosen] = [toNumbers(x), toNumbers(regions), toNumbers(images)];
  const line = (region: number, axis: 0 | 1, bins: number, length: number) => {
    const [start, end] = [
      corners[4 * region + axis]! * scale - offset,
      corners[4 * region + axis + 2]! * scale - offset,
    ];
    const extent = atLeastOne ? Math.max(end - start, 1) : end - start;
    return Array.from({ length: bins * samples }, (_, i) =>
      taps(start + (((i + 0.5) / samples) * extent) / bins, length),
    );
  };
  let at = 0;
  for (let region = 0; region < shape[0]!; region++) {
    const [ys, xs] = [line(region, 1, rows, height), line(region, 0, columns, width)];
    const image = indexOf(chosen[region]!, count);
    for (let channel = 0; channel < channels; channel++) {
      const first = (image * channels + channel) * height * width;
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++, at++) {
          let sum = 0;
          for (const vertical of ys.slice(row * samples, (row + 1) * samples)) {
            for (const horizontal of xs.slice(column * samples, (column + 1) * samples)) {
              for (const [y, v] of vertical)
                for (const [z, h] of horizontal) sum += from[first + y * width + z]! * v * h;
            }
          }
          data[at] = sum / samples ** 2;
        }
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}
