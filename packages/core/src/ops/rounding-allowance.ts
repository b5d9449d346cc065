import type { Rounding } from './rounding.js';
import type { DType } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { toNumbers, type Tensor } from '../tensor/tensor.js';
import { meanSquare } from '../numeric/mean-square.js';

/** Distance from 1 to the next number, and the smallest number above 0. */
const spacings: Partial<Record<DType, readonly [epsilon: number, least: number]>> = {
  float64: [2 ** -52, 2 ** -1074],
  complex128: [2 ** -52, 2 ** -1074],
  // Runtimes flush subnormals of float32 to zero.
  float32: [2 ** -23, 2 ** -126],
  complex64: [2 ** -23, 2 ** -126],
  float16: [2 ** -10, 2 ** -24],
  bfloat16: [2 ** -7, 2 ** -126],
};

/** How many elements the magnitude of all terms counts for beside those at one index of an axis. */
const shrinkage = 8;

/**
 * What each element of a result may be off, as an absolute number: the {@link Rounding} of the
 * operator that made it, for the exact result. Undefined where nothing is lost. Terms are taken to
 * be as large as the elements around, and as the operands tell.
 */
export function roundingAllowance(
  { ulp, of, axis, squares = 0 }: Rounding,
  result: Tensor,
): Float64Array | undefined {
  const spacing = spacings[result.dtype];
  if (!spacing || ulp === 0) return undefined;
  const values = toNumbers(result);
  const [unit, least] = [ulp * spacing[0], spacing[1]];
  const finite = (y: number, allowed: number) => (Number.isFinite(y) ? allowed : 0);
  if (of === 'element') return values.map((y) => finite(y, unit * Math.abs(y) + least));
  if (of === 'one') return values.map((y) => finite(y, unit * Math.max(Math.abs(y), 1)));
  if (typeof squares !== 'number')
    return values.map((y, i) => finite(y, unit * Math.sqrt(y * y + squares[i]!) + least));
  const all = Math.max(meanSquare(values), squares);
  if (axis === undefined)
    return values.map((y) => finite(y, unit * Math.sqrt(y * y + all) + least));
  const [size, step] = [result.shape[axis]!, stridesOf(result.shape)[axis]!];
  const sums = new Float64Array(size);
  const counts = new Float64Array(size);
  const [at, allowance] = [placeAlong(size, step), new Float64Array(values.length)];
  for (let i = 0; i < values.length; i++) {
    const y = values[i]!;
    if (!Number.isFinite(y)) continue;
    sums[at(i)]! += y * y;
    counts[at(i)]!++;
  }
  const along = sums.map((sum, i) => (sum + shrinkage * all) / (counts[i]! + shrinkage));
  for (let i = 0; i < values.length; i++) {
    const y = values[i]!;
    allowance[i] = finite(y, unit * Math.sqrt(y * y + along[at(i)]!) + least);
  }
  return allowance;
}

/** The index along an axis of an element in C order. */
const placeAlong = (size: number, step: number) => (i: number) => Math.floor(i / step) % size;
