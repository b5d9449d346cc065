import type { ConvolutionParts } from './convolve.js';

/**
 * Adds to y what few filters see, tap by tap, where the elements of a channel follow one another:
 * too few to repay a matrix of the elements.
 */
export function addPlanes(parts: ConvolutionParts, filters: number): void {
  const { x, w, y, batch, groups, depth, taps, source, target } = parts;
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < groups * filters; o++) {
      const to = n * target.batch + o * target.channel;
      for (let c = 0; c < depth; c++) {
        const channel = Math.floor(o / filters) * depth + c;
        const from = n * source.batch + channel * source.channel;
        const first = (o * depth + c) * taps;
        eachRun(parts, (at, begin, count, tap) =>
          addScaled(x, from + begin, parts.stride, w[first + tap]!, y, to + at, count),
        );
      }
    }
  }
}

/** Adds to y what one filter for each channel sees, where the channels follow one another. */
export function addDepthwise(parts: ConvolutionParts, channels: number): void {
  const { x, w, y, batch, taps, stride, source, target } = parts;
  const byTap = new Float64Array(w.length);
  for (let c = 0; c < channels; c++)
    for (let tap = 0; tap < taps; tap++) byTap[tap * channels + c] = w[c * taps + tap]!;
  for (let n = 0; n < batch; n++)
    eachRun(parts, (at, begin, count, tap) => {
      let [to, from] = [n * target.batch + at * channels, n * source.batch + begin];
      for (let i = 0; i < count; i++, to += channels, from += stride * channels)
        addProducts(x, from, byTap, tap * channels, y, to, channels);
    });
}

/**
 * Calls `visit` for each row of positions and each tap with the positions that see an element
 * there: the first of them and the element that it sees, their number and the tap.
 */
function eachRun(
  { rows, rowTaps, size, positions, kernel, stride, dilation, begin, source }: ConvolutionParts,
  visit: (at: number, begin: number, count: number, tap: number) => void,
): void {
  const outer = rowTaps.length / rows;
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < outer; tap++) {
      const line = rowTaps[row * outer + tap]!;
      if (line < 0) continue;
      for (let k = 0; k < kernel; k++) {
        const shift = k * dilation - begin;
        const low = Math.max(0, Math.ceil(-shift / stride));
        const high = Math.min(positions, Math.floor((size - 1 - shift) / stride) + 1);
        if (low < high)
          visit(
            row * positions + low,
            line + (low * stride + shift) * source.element,
            high - low,
            tap * kernel + k,
          );
      }
    }
  }
}

/** Adds a multiple of some elements, `step` apart, to others. */
function addScaled(
  x: Float64Array,
  from: number,
  step: number,
  factor: number,
  y: Float64Array,
  to: number,
  count: number,
): void {
  for (const end = to + count; to < end; to++, from += step) y[to]! += factor * x[from]!;
}

/** Adds the products of elements to others. */
function addProducts(
  x: Float64Array,
  from: number,
  w: Float64Array,
  first: number,
  y: Float64Array,
  to: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) y[to + i]! += w[first + i]! * x[from + i]!;
}
