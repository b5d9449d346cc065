import type { Rounding } from './rounding.js';
import { stridesOf } from '../tensor/strides.js';
import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { meanSquare } from '../numeric/mean-square.js';
import { epsilonOf, precisionOf, type Precision } from '../numeric/ulp.js';

/** The smallest number above 0. Runtimes flush subnormals of float32 to zero. */
const leastOf: Readonly<Record<Precision, number>> = {
  float64: 2 ** -1074,
  float32: 2 ** -126,
  float16: 2 ** -24,
  bfloat16: 2 ** -126,
};

/** How many elements the magnitude of all terms counts for beside those at one index of an axis. */
const shrinkage = 8;

/**
 * What each element of a result may be off, as an absolute number: the {@link Rounding} of the
 * operator that made it, for the exact result. Undefined where nothing is lost. Terms are taken to
 * be as large as the elements around, and as the operands tell. The array is the caller's own.
 */
export function roundingAllowance(
  { ulp, of, axis, squares = 0 }: Rounding,
  result: Tensor,
): Float64Array | undefined {
  const precision = precisionOf(result.dtype);
  if (!precision || ulp === 0) return undefined;
  const values = toNumbers(result);
  const [unit, least] = [ulp * epsilonOf(precision), leastOf[precision]];
  const allowance = new Float64Array(values.length);
  if (of === 'element')
    for (let i = 0; i < values.length; i++)
      allowance[i] = finite(values[i]!, unit * Math.abs(values[i]!) + least);
  else if (of === 'one')
    for (let i = 0; i < values.length; i++)
      allowance[i] = finite(values[i]!, unit * Math.max(Math.abs(values[i]!), 1));
  else if (typeof squares === 'number')
    fillByTerms(allowance, values, Math.max(meanSquare(values), squares), result, axis);
  else allowance.set(squares);
  if (of === 'terms')
    for (let i = 0; i < values.length; i++) {
      const y = values[i]!;
      allowance[i] = finite(y, unit * Math.sqrt(y * y + allowance[i]!) + least);
    }
  return allowance;
}

/** Nothing can be said of what is not finite. */
const finite = (y: number, allowed: number) => (Number.isFinite(y) ? allowed : 0);

/**
 * Sets the mean square of the terms of each element: that of `all` elements, or rather of those at
 * one index of an axis.
 */
function fillByTerms(
  squares: Float64Array,
  values: Float64Array,
  all: number,
  { shape }: Tensor,
  axis: number | undefined,
): void {
  if (axis === undefined) return void squares.fill(all);
  const [size, step] = [shape[axis]!, stridesOf(shape)[axis]!];
  const sums = new Float64Array(size);
  const counts = new Float64Array(size);
  for (let from = 0, at = 0; from < values.length; from += step, at = (at + 1) % size)
    for (let i = from; i < from + step; i++) {
      const y = values[i]!;
      if (!Number.isFinite(y)) continue;
      sums[at]! += y * y;
      counts[at]!++;
    }
  for (let at = 0; at < size; at++)
    sums[at] = (sums[at]! + shrinkage * all) / (counts[at]! + shrinkage);
  for (let from = 0, at = 0; from < values.length; from += step, at = (at + 1) % size)
    squares.fill(sums[at]!, from, from + step);
}
