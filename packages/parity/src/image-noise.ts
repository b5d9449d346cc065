import { sizeOf } from '@drover/core';
import type { Xoshiro128 } from './random.js';

/** Share of the amplitude that goes to what channels do not have in common. */
const colour = 0.3;

/**
 * An image of any rank, of mean 0 and variance 1 in each: the amplitudes of its frequencies fall as
 * they do in photographs, with the inverse of the frequency (Field 1987), and its channels are much
 * alike. `channels` is their axis; the first axis is the batch.
 */
export function drawImage(
  shape: readonly number[],
  channels: number,
  random: Xoshiro128,
): Float64Array {
  const spatial = shape.filter((_, axis) => axis > 0 && axis !== channels);
  const [depth, size] = [shape[channels]!, sizeOf(spatial)];
  const data = new Float64Array(sizeOf(shape));
  const [channelStep, elementStep] = channels === 1 ? [size, 1] : [1, depth];
  for (let n = 0; n < shape[0]!; n++) {
    const light = octaves(spatial, random);
    for (let c = 0; c < depth; c++) {
      const own = octaves(spatial, random);
      const first = n * depth * size + c * channelStep;
      for (let i = 0; i < size; i++)
        data[first + i * elementStep] = light[i]! * (1 - colour) + own[i]! * colour;
    }
    standardise(data.subarray(n * depth * size, (n + 1) * depth * size));
  }
  return data;
}

/**
 * Sums of noise at every scale from the image to the element, each as strong as it is wide: from
 * the coarsest on, what is there is stretched to twice the size and finer noise added.
 */
function octaves(sizes: readonly number[], random: Xoshiro128): Float64Array {
  let cell = 1;
  while (2 * cell < 2 * Math.max(...sizes, 1)) cell *= 2;
  const gridOf = (cell: number) => sizes.map((size) => Math.ceil(size / cell) + 1);
  let grid = gridOf(cell);
  let sum: Float64Array = new Float64Array(sizeOf(grid));
  for (;;) {
    for (let i = 0; i < sum.length; i++) sum[i]! += cell * (random.uniform() - 0.5);
    if (cell === 1) break;
    cell /= 2;
    // A grid has a point at its far end, which the image needs no more.
    const finer = cell === 1 ? sizes : gridOf(cell);
    grid.forEach((_, axis) => {
      const shape = [...finer.slice(0, axis), ...grid.slice(axis)];
      sum = doubled(sum, shape, axis, finer[axis]!);
    });
    grid = [...finer];
  }
  standardise(sum);
  return sum;
}

/** Linear interpolation along one axis to `size` points, two for each that is there. */
function doubled(
  from: Float64Array,
  shape: readonly number[],
  axis: number,
  size: number,
): Float64Array {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const points = shape[axis]!;
  const out = new Float64Array(outer * size * inner);
  for (let o = 0, to = 0; o < outer; o++)
    for (let i = 0; i < size; i++, to += inner) {
      const row = (o * points + (i >> 1)) * inner;
      const next = i % 2 === 0 ? row : row + inner;
      for (let k = 0; k < inner; k++) out[to + k] = (from[row + k]! + from[next + k]!) / 2;
    }
  return out;
}

/** Moves and scales values to mean 0 and variance 1; equal ones become 0. */
function standardise(values: Float64Array): void {
  const count = Math.max(values.length, 1);
  let [sum, squares] = [0, 0];
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  const mean = sum / count;
  for (let i = 0; i < values.length; i++) squares += (values[i]! - mean) ** 2;
  const factor = squares > 0 ? 1 / Math.sqrt(squares / count) : 0;
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) * factor;
}
