import { addDim, bounds, ceilDivDim, maxDim, minDim, subDim, type Dim } from '../tensor/dim.js';

/**
 * First index and number of indices that a slice `start:end:step` takes of a dimension of `size`
 * (Python's and ONNX's clamping).
 */
export function sliceRange(
  size: number,
  start: number,
  end: number,
  step: number,
): { first: number; count: number } {
  const clamp = (x: number, low: number, high: number) =>
    Math.min(Math.max(x < 0 ? x + size : x, low), high);
  const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
  const first = clamp(start, low, high);
  const last = clamp(end, low, high);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/**
 * The number of indices that a slice takes of a symbolic dimension; undefined when it is not known
 * from which end a bound counts.
 */
export function sliceSize(size: Dim, start: Dim, end: Dim, step: number): Dim | undefined {
  const [from, to] = [fromStart(start, size), fromStart(end, size)];
  if (from === undefined || to === undefined) return undefined;
  // Only two of the four clamps matter: a slice that begins behind the end, or ends before the
  // beginning, is empty anyway.
  const length =
    step > 0
      ? subDim(minDim(to, size), maxDim(from, 0))
      : subDim(minDim(from, subDim(size, 1)), maxDim(to, -1));
  return maxDim(ceilDivDim(length, Math.abs(step)), 0);
}

// Exporters write INT32_MAX for "to the end" as well as INT64_MAX; no dimension reaches it.
const beyond = 2 ** 31 - 1;

/** A bound counted from the start of the dimension; -1 stands for every place before it. */
function fromStart(bound: Dim, size: Dim): Dim | undefined {
  const [low, high] = bounds(bound);
  if (low >= beyond) return size;
  if (high <= -beyond) return -1;
  return low >= 0 ? bound : high < 0 ? addDim(size, bound) : undefined;
}
