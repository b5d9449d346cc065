import { foldDim, type Dim } from './dim.js';
import { intRange, type DType } from './dtype.js';

/**
 * The least and the greatest value that an element may have, inclusive. For floats they are the
 * integers around; NaN has no place in an interval.
 */
export type Interval = readonly [least: bigint, most: bigint];

/**
 * The largest size of a dimension: element counts and indices of every runtime fit 32 bits with a
 * sign.
 */
export const maxSize = 2n ** 31n - 1n;

/** The smallest of some integers. */
export const least = (...values: readonly bigint[]): bigint =>
  values.reduce((a, b) => (b < a ? b : a));
/** The largest of some integers. */
export const most = (...values: readonly bigint[]): bigint =>
  values.reduce((a, b) => (b > a ? b : a));

/** The smallest interval that holds some values. */
export const spanning = (...values: readonly bigint[]): Interval => [
  least(...values),
  most(...values),
];

/** All values of an integer type or bool; undefined for the others. */
export function intervalOf(dtype: DType): Interval | undefined {
  return dtype === 'bool' ? [0n, 1n] : intRange(dtype);
}

/** The smallest interval that holds all of some; undefined when one of them is not known. */
export function hull(...intervals: readonly (Interval | undefined)[]): Interval | undefined {
  const known = intervals.filter((each) => each !== undefined);
  return known.length === intervals.length && known.length > 0
    ? spanning(...known.flat())
    : undefined;
}

/** What two intervals share; undefined when that is nothing. */
export function meet(a: Interval, b: Interval): Interval | undefined {
  const [low, high] = [most(a[0], b[0]), least(a[1], b[1])];
  return low <= high ? [low, high] : undefined;
}

/** Whether the first interval lies in the second. */
export const isWithin = (a: Interval, b: Interval): boolean => a[0] >= b[0] && a[1] <= b[1];

/**
 * The values of a function that rises or falls throughout, each operand by itself: its least and
 * greatest stand in the corners.
 */
export function corners(
  a: Interval | undefined,
  b: Interval | undefined,
  f: (x: bigint, y: bigint) => bigint,
): Interval | undefined {
  return a && b && spanning(...a.flatMap((x) => b.map((y) => f(x, y))));
}

/** The values of a function of one operand that rises or falls throughout. */
export function ends(a: Interval | undefined, f: (x: bigint) => bigint): Interval | undefined {
  return a && spanning(f(a[0]), f(a[1]));
}

/** The absolute values. */
export function magnitude(a: Interval): Interval {
  const [low, high] = spanning(...a.map((x) => (x < 0n ? -x : x)));
  return a[0] <= 0n && a[1] >= 0n ? [0n, high] : [low, high];
}

/** Sums of `count` values, or of fewer or more as `count` says. */
export function sums(a: Interval, count: Interval): Interval {
  return corners(a, count, (x, n) => x * n)!;
}

/** The floor of a quotient of integers. */
function floorQuotient(x: bigint, y: bigint): bigint {
  const quotient = x / y;
  return x % y !== 0n && x < 0n !== y < 0n ? quotient - 1n : quotient;
}

/**
 * Values of an expression over dimensions: a named one is 1 … 2^31-1, one that depends on data (its
 * name begins with `?`) 0 … 2^31-1.
 */
export function dimInterval(dim: Dim): Interval | undefined {
  return foldDim<Interval | undefined>(dim, {
    constant: (value) => (Number.isSafeInteger(value) ? [BigInt(value), BigInt(value)] : undefined),
    symbol: (name) => [name.startsWith('?') ? 0n : 1n, maxSize],
    add: (a, b) => corners(a, b, (x, y) => x + y),
    mul: (a, b) => corners(a, b, (x, y) => x * y),
    floordiv: (a, b) => (b && b[0] > 0n ? corners(a, b, floorQuotient) : undefined),
    min: (a, b) => corners(a, b, (x, y) => least(x, y)),
    max: (a, b) => corners(a, b, (x, y) => most(x, y)),
  });
}

/** Sizes that a dimension of a tensor may have; one that is not known at all is 0 … 2^31-1. */
export function sizeInterval(dim: Dim | undefined): Interval {
  const sizes: Interval = [0n, maxSize];
  return (dim !== undefined && meet(dimInterval(dim) ?? sizes, sizes)) || sizes;
}

/** How many elements stand along some axes together. */
export function countInterval(dims: readonly (Dim | undefined)[]): Interval {
  return dims
    .map(sizeInterval)
    .reduce<Interval>((a, b) => corners(a, b, (x, y) => x * y)!, [1n, 1n]);
}

/** Indices into a dimension, counted from the start. */
export function placesIn(dim: Dim | undefined): Interval {
  return [0n, most(sizeInterval(dim)[1] - 1n, 0n)];
}

/** Indices into a dimension that may also count from the end: any other is an error. */
export function indicesInto(...dims: readonly (Dim | undefined)[]): Interval {
  const size = most(1n, ...dims.map((dim) => sizeInterval(dim)[1]));
  return [-size, size - 1n];
}

/**
 * Quotients of integers, truncated towards zero. undefined when the divisor can only be 0, which is
 * an error.
 */
export function quotients(a: Interval, b: Interval): Interval | undefined {
  const divisors = [meet(b, [b[0], -1n]), meet(b, [1n, b[1]])].filter((each) => each !== undefined);
  return hull(...divisors.map((each) => corners(a, each, (x, y) => x / y)));
}

/** Remainders of integers, with the sign of the divisor or of the dividend. */
export function remainders(a: Interval, b: Interval, sign: 'divisor' | 'dividend'): Interval {
  const largest = most(magnitude(b)[1] - 1n, 0n);
  const signed = sign === 'divisor' ? b : a;
  const all: Interval = [signed[0] < 0n ? -largest : 0n, signed[1] > 0n ? largest : 0n];
  if (sign === 'dividend') return meet(all, hull(a, [0n, 0n])!)!;
  // What lies between 0 and every divisor is its own remainder.
  return a[0] >= 0n && a[1] < b[0] ? a : all;
}

/** Powers beyond this are not followed. */
const maxExponent = 64n;

/** Powers of integers. undefined where an exponent may be negative or large. */
export function powers(a: Interval, b: Interval): Interval | undefined {
  if (b[0] < 0n || b[1] > maxExponent) return undefined;
  const reached = corners(a, b, (x, y) => x ** y)!;
  if (a[0] >= 0n) return reached;
  // Below 0 the sign depends on whether the exponent is even; 0 and 1 lie between where a and b let
  // them.
  const high = magnitude(a)[1] ** b[1];
  const isEven = b[0] === b[1] && b[0] % 2n === 0n;
  return hull(reached, [isEven ? 0n : -high, high > 1n ? high : 1n]);
}

/** Products of integers, `count` of them. undefined where there may be many. */
export function products(a: Interval, count: Interval): Interval | undefined {
  if (a[0] >= 0n || count[1] > maxExponent) return powers(a, count);
  const high = most(1n, magnitude(a)[1] ** count[1]);
  return [-high, high];
}

/** The bits that an integer of an interval needs beside the sign. */
const bitsOfInterval = ([low, high]: Interval): bigint =>
  BigInt(most(high, -1n - low).toString(2).length);

/**
 * What operations on the bits of integers of two intervals may give: no more bits than the operands
 * have, and no sign when neither has one.
 */
export function bitPatterns(a: Interval, b: Interval): Interval {
  const bound = 1n << most(bitsOfInterval(a), bitsOfInterval(b));
  return [a[0] < 0n || b[0] < 0n ? -bound : 0n, bound - 1n];
}
