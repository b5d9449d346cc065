import { toNumbers, type Tensor } from '@drover/core';
import { coarser, precisionOf, ulpDistance } from '@drover/core/format';

/** The element that is furthest off. */
export interface WorstElement {
  readonly index: readonly number[];
  readonly actual: number | string;
  readonly expected: number | string;
}

/**
 * How far an actual tensor is from the expected one of the same shape. Where both are NaN, or the
 * same infinity, an element is exact.
 */
export interface Metrics {
  /** Elements compared. */
  readonly count: number;
  /** Largest |actual − expected|; Infinity where only one is finite. Text differs by 1. */
  readonly maxAbs: number;
  /** Largest |actual − expected| / |expected| where expected is neither zero nor infinite. */
  readonly maxRel: number;
  /**
   * Largest distance in representable values of the coarser of both types; null unless both are
   * float64, float32, float16 or bfloat16.
   */
  readonly maxUlp: number | null;
  /** Root of the mean squared difference over elements that are finite in both. */
  readonly rmse: number;
  /**
   * Cosine of the angle between both as vectors, over elements that are finite in both; null when
   * one of them is zero.
   */
  readonly cosine: number | null;
  /** Null when every element is exact. */
  readonly worst: WorstElement | null;
  /**
   * Share of the rows along the last axis whose largest element is at the same place, ties to the
   * lower one; null unless it has several elements.
   */
  readonly top1: number | null;
  /** Elements that are NaN in one of them only. */
  readonly nanMismatches: number;
  /** Elements that are infinite in one of them only, or of another sign. */
  readonly infinityMismatches: number;
}

/**
 * Compares two tensors of one shape, element by element. Complex numbers are compared by their
 * parts.
 */
export function measure(actual: Tensor, expected: Tensor): Metrics {
  if (actual.dtype === 'string' || expected.dtype === 'string')
    return measureText(actual, expected);
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  const left = precisionOf(actual.dtype);
  const right = precisionOf(expected.dtype);
  const precision = left && right && coarser(left, right);
  let [
    maxAbs,
    maxRel,
    maxUlp,
    worst,
    squares,
    finite,
    aa,
    ee,
    ae,
    nanMismatches,
    infinityMismatches,
  ] = [0, 0, 0, -1, 0, 0, 0, 0, 0, 0, 0];
  for (let i = 0; i < e.length; i++) {
    const [x, y] = [a[i]!, e[i]!];
    if (Number.isFinite(x) && Number.isFinite(y)) {
      finite++;
      squares += (x - y) ** 2;
      aa += x * x;
      ee += y * y;
      ae += x * y;
    }
    const error = differenceAt(actual, expected, i, x, y);
    if (error === 0) continue;
    if (Number.isNaN(x) !== Number.isNaN(y)) nanMismatches++;
    else if (!Number.isFinite(x) || !Number.isFinite(y)) infinityMismatches++;
    if (error > maxAbs) [maxAbs, worst] = [error, i];
    if (y !== 0 && Number.isFinite(y)) maxRel = Math.max(maxRel, error / Math.abs(y));
    if (precision) maxUlp = Math.max(maxUlp, ulpDistance(x, y, precision));
  }
  return {
    count: e.length,
    maxAbs,
    maxRel,
    maxUlp: precision ? maxUlp : null,
    rmse: finite > 0 ? Math.sqrt(squares / finite) : 0,
    cosine: aa > 0 && ee > 0 ? Math.min(1, Math.max(-1, ae / Math.sqrt(aa) / Math.sqrt(ee))) : null,
    worst:
      worst < 0
        ? null
        : { index: indexOf(worst, expected), actual: a[worst]!, expected: e[worst]! },
    top1: topAgreement(a, e, expected),
    nanMismatches,
    infinityMismatches,
  };
}

/**
 * |actual − expected| at an element: 0 for two NaNs and for one infinity, Infinity where only one
 * is finite. 64-bit integers are subtracted exactly.
 */
function differenceAt(actual: Tensor, expected: Tensor, i: number, x: number, y: number): number {
  const [p, q] = [actual.data[i], expected.data[i]];
  if (typeof p === 'bigint' && typeof q === 'bigint') return Math.abs(Number(p - q));
  if (x === y || (x !== x && y !== y)) return 0;
  const error = Math.abs(x - y);
  return Number.isNaN(error) ? Infinity : error;
}

function measureText(actual: Tensor, expected: Tensor): Metrics {
  const differ = Array.from(
    expected.data as readonly (string | number | bigint)[],
    (value, i) => value !== actual.data[i],
  );
  const worst = differ.indexOf(true);
  const wrong = differ.filter(Boolean).length;
  return {
    count: differ.length,
    maxAbs: worst < 0 ? 0 : 1,
    maxRel: worst < 0 ? 0 : 1,
    maxUlp: null,
    rmse: Math.sqrt(wrong / Math.max(differ.length, 1)),
    cosine: null,
    worst:
      worst < 0
        ? null
        : {
            index: indexOf(worst, expected),
            actual: String(actual.data[worst]),
            expected: String(expected.data[worst]),
          },
    top1: null,
    nanMismatches: 0,
    infinityMismatches: 0,
  };
}

function indexOf(element: number, { dtype, shape }: Tensor): number[] {
  let rest = dtype.startsWith('complex') ? Math.floor(element / 2) : element;
  const index: number[] = [];
  for (const dim of shape.toReversed()) {
    index.unshift(rest % dim);
    rest = Math.floor(rest / dim);
  }
  return index;
}

function topAgreement(a: Float64Array, e: Float64Array, { dtype, shape }: Tensor): number | null {
  const width = shape.at(-1) ?? 0;
  if (width < 2 || e.length === 0 || dtype === 'bool' || dtype.startsWith('complex')) return null;
  let agree = 0;
  for (let start = 0; start < e.length; start += width)
    if (largestAt(a, start, width) === largestAt(e, start, width)) agree++;
  return agree / (e.length / width);
}

function largestAt(values: Float64Array, start: number, width: number): number {
  let best = start;
  for (let i = start + 1; i < start + width; i++) if (values[i]! > values[best]!) best = i;
  return best;
}
