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

/** Sums of noise at every scale from the image to the element, each as strong as it is wide. */
function octaves(sizes: readonly number[], random: Xoshiro128): Float64Array {
  const sum = new Float64Array(sizeOf(sizes));
  for (let cell = 1; cell < 2 * Math.max(...sizes, 1); cell *= 2) {
    const grid = sizes.map((size) => Math.ceil(size / cell) + 1);
    let layer = Float64Array.from({ length: sizeOf(grid) }, () => random.normal());
    sizes.forEach((size, axis) => {
      layer = stretch(layer, [...sizes.slice(0, axis), ...grid.slice(axis)], axis, size, cell);
    });
    for (let i = 0; i < sum.length; i++) sum[i]! += layer[i]! * cell;
  }
  standardise(sum);
  return sum;
}

/** Linear interpolation along one axis to `size` elements, `cell` of them between grid points. */
function stretch(
  from: Float64Array,
  shape: readonly number[],
  axis: number,
  size: number,
  cell: number,
): Float64Array<ArrayBuffer> {
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  const points = shape[axis]!;
  const out = new Float64Array(outer * size * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < size; i++) {
      const at = Math.floor(i / cell);
      const part = i / cell - at;
      const row = (o * points + at) * inner;
      for (let k = 0; k < inner; k++)
        out[(o * size + i) * inner + k] =
          from[row + k]! * (1 - part) + from[row + inner + k]! * part;
    }
  }
  return out;
}

/** Moves and scales values to mean 0 and variance 1; equal ones become 0. */
function standardise(values: Float64Array): void {
  const mean = values.reduce((sum, value) => sum + value, 0) / Math.max(values.length, 1);
  const variance =
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / Math.max(values.length, 1);
  const factor = variance > 0 ? 1 / Math.sqrt(variance) : 0;
  for (let i = 0; i < values.length; i++) values[i] = (values[i]! - mean) * factor;
}
