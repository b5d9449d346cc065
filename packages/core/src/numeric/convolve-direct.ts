import type { ConvolutionParts } from './convolve.js';

/**
 * Adds to y what few filters see, tap by tap, where the elements of a channel follow one another:
 * too few to repay a matrix of the elements.
 */
export function addPlanes(parts: ConvolutionParts, filters: number): void {
  const { batch, groups, depth, taps, source, target } = parts;
  const runs = runsOf(parts);
  for (let n = 0; n < batch; n++) {
    for (let o = 0; o < groups * filters; o++) {
      const to = n * target.batch + o * target.channel;
      for (let c = 0; c < depth; c++) {
        const channel = Math.floor(o / filters) * depth + c;
        const from = n * source.batch + channel * source.channel;
        addPlane(parts, runs, from, (o * depth + c) * taps, to);
      }
    }
  }
}

/** Adds to y what one filter for each channel sees, where the channels follow one another. */
export function addDepthwise(parts: ConvolutionParts, channels: number): void {
  const { w, batch, taps, source, target } = parts;
  const byTap = new Float64Array(w.length);
  for (let c = 0; c < channels; c++)
    for (let tap = 0; tap < taps; tap++) byTap[tap * channels + c] = w[c * taps + tap]!;
  const runs = runsOf(parts);
  for (let n = 0; n < batch; n++)
    addChannels(parts, runs, n * source.batch, byTap, n * target.batch, channels);
}

/** Numbers that tell a run: see `runsOf`. */
const runLength = 5;

/**
 * The runs of neighbouring positions that see elements at a tap: the first position and the element
 * that it sees, the number of positions, the tap, and 3 if all of them see elements at the next two
 * taps of its row, too, which then have no runs there, else 1.
 */
function runsOf(parts: ConvolutionParts): Int32Array {
  const { rows, rowTaps, size, positions, kernel, stride, dilation, begin, source } = parts;
  const outer = rowTaps.length / rows;
  const shift = (k: number) => k * dilation - begin;
  // Where the positions begin, and end, that see an element at tap k.
  const low = (k: number) => Math.max(0, Math.ceil(-shift(k) / stride));
  const high = (k: number) => Math.min(positions, Math.floor((size - 1 - shift(k)) / stride) + 1);
  const runs: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (let tap = 0; tap < outer; tap++) {
      const line = rowTaps[row * outer + tap]!;
      if (line < 0) continue;
      const add = (from: number, to: number, k: number, taps: number) => {
        const first = line + (from * stride + shift(k)) * source.element;
        if (from < to) runs.push(row * positions + from, first, to - from, tap * kernel + k, taps);
      };
      for (let k = 0; k < kernel;) {
        const [from, to] = [low(k), high(k + 2)];
        if (k + 2 < kernel && from < to) {
          add(from, to, k, 3);
          for (const end = k + 3; k < end; k++) {
            add(low(k), from, k, 1);
            add(to, high(k), k, 1);
          }
        } else {
          add(from, high(k), k, 1);
          k++;
        }
      }
    }
  }
  return Int32Array.from(runs);
}

/** Adds to one channel of y what a filter sees in one channel of x. */
function addPlane(
  { x, w, y, stride, dilation }: ConvolutionParts,
  runs: Int32Array,
  from: number,
  firstTap: number,
  to: number,
): void {
  for (let run = 0; run < runs.length; run += runLength) {
    let at = to + runs[run]!;
    let p = from + runs[run + 1]!;
    const end = at + runs[run + 2]!;
    const tap = firstTap + runs[run + 3]!;
    const f = w[tap]!;
    if (runs[run + 4] === 1) {
      for (; at < end; at++, p += stride) y[at]! += f * x[p]!;
      continue;
    }
    const g = w[tap + 1]!;
    const h = w[tap + 2]!;
    for (; at < end; at++, p += stride)
      y[at]! += f * x[p]! + g * x[p + dilation]! + h * x[p + 2 * dilation]!;
  }
}

/** Adds to y what the filters of all channels see; `byTap` are the taps of the channels in turn. */
function addChannels(
  { x, y, stride, dilation }: ConvolutionParts,
  runs: Int32Array,
  from: number,
  byTap: Float64Array,
  to: number,
  channels: number,
): void {
  const apart = dilation * channels;
  for (let run = 0; run < runs.length; run += runLength) {
    let at = to + runs[run]! * channels;
    let p = from + runs[run + 1]!;
    const end = at + runs[run + 2]! * channels;
    const f = runs[run + 3]! * channels;
    const [g, h] = [f + channels, f + 2 * channels];
    for (; at < end; at += channels, p += stride * channels) {
      if (runs[run + 4] === 1)
        for (let c = 0; c < channels; c++) y[at + c]! += byTap[f + c]! * x[p + c]!;
      else
        for (let c = 0; c < channels; c++)
          y[at + c]! +=
            byTap[f + c]! * x[p + c]! +
            byTap[g + c]! * x[p + apart + c]! +
            byTap[h + c]! * x[p + 2 * apart + c]!;
    }
  }
}
