import { isFloat, isInt, sizeOf, type Tensor } from '@drover/core';
import { roundTo } from '@drover/core/format';
import { drawImage } from './image-noise.js';
import type { Bounds, InputSpec } from './input-spec.js';
import { Xoshiro128 } from './random.js';
import { chooseShapes, type Sizes } from './sizes.js';

/** How inputs are made. */
export interface InputOptions {
  /** Equal seeds give equal inputs. */
  readonly seed: number;
  /** Which of several runs they are for: each is of another kind; 0 unless told. */
  readonly run?: number;
  /** Sizes of free dimensions, by symbol or by `NAME[AXIS]`. */
  readonly sizes?: Sizes;
}

/** By how much floats of the first, second and third run are scaled, to reach what clips. */
const magnitudes = [1, 4, 1 / 4];

/** One in so many floats is zero in runs after the first. */
const sparsity = 16;

/**
 * Makes inputs from a seed. Integers with a range go through all of it, over the elements and from
 * run to run, and the ends of it come first; other integers and bool are 0 and 1: at random in odd
 * runs, and in even ones as masks of sequences are, ones and then zeros along the last axis. Images
 * are smooth as photographs are, other floats normal; from the second run on they are larger,
 * smaller, and zero in places. Free dimensions that are not given become pairwise different primes
 * that no fixed dimension has, because equal sizes hide layout errors. Each input has a stream of
 * its own, so that another one beside it changes nothing.
 */
export function makeInputs(
  specs: readonly InputSpec[],
  { seed, run = 0, sizes = new Map() }: InputOptions,
): Map<string, Tensor> {
  const shapes = chooseShapes(specs, sizes);
  return new Map(
    specs.map((spec, i) => {
      const random = Xoshiro128.seeded(seed + run, i);
      return [spec.name, fill(spec, shapes[i]!, random, run)];
    }),
  );
}

function fill(spec: InputSpec, shape: readonly number[], random: Xoshiro128, run: number): Tensor {
  const { dtype, range } = spec;
  const count = sizeOf(shape);
  if (dtype === 'string')
    return { dtype, shape, data: Array.from({ length: count }, () => `w${random.integer(1000)}`) };
  if (isFloat(dtype) && !spec.isWhole)
    return { dtype, shape, data: roundTo(dtype, drawFloats(spec, shape, random, run)) };
  if (dtype.startsWith('complex')) {
    const parts = Float64Array.from({ length: 2 * count }, () => random.normal());
    return { dtype, shape, data: dtype === 'complex64' ? parts.map(Math.fround) : parts };
  }
  const whole = range
    ? drawRange(range, count, random, run)
    : run % 2 === 0 && shape.length > 1
      ? drawMask(shape, random)
      : Float64Array.from({ length: count }, () => random.integer(2));
  if (dtype === 'int64') return { dtype, shape, data: BigInt64Array.from(whole, BigInt) };
  if (dtype === 'uint64') return { dtype, shape, data: BigUint64Array.from(whole, BigInt) };
  if (dtype === 'bool') return { dtype, shape, data: Uint8Array.from(whole) };
  return { dtype, shape, data: isInt(dtype) ? whole : roundTo(dtype, whole) };
}

function drawFloats(
  { range, channels }: InputSpec,
  shape: readonly number[],
  random: Xoshiro128,
  run: number,
): Float64Array {
  const count = sizeOf(shape);
  const values =
    channels === undefined
      ? Float64Array.from({ length: count }, () => random.normal())
      : drawImage(shape, channels, random);
  if (range) return squeeze(values, range);
  if (run === 0) return values;
  const magnitude = magnitudes[run % magnitudes.length]!;
  return values.map((value) => (random.integer(sparsity) === 0 ? 0 : value * magnitude));
}

/** Normal values in a range, whose ends lie three deviations from the middle and are reached. */
function squeeze(values: Float64Array, { low, high }: Bounds): Float64Array {
  const [middle, deviation] = [(low + high) / 2, (high - low) / 6];
  return values.map((value) => Math.min(Math.max(middle + deviation * value, low), high));
}

/**
 * Whole numbers of a range: its ends, then a walk that meets each number once before one comes
 * again, and goes on from run to run.
 */
function drawRange(
  { low, high }: Bounds,
  count: number,
  random: Xoshiro128,
  run: number,
): Float64Array {
  const size = high - low + 1;
  const step = coprimeStep(size);
  const values = Float64Array.from(
    { length: count },
    (_, i) => low + (((run * count + i) * step) % size),
  );
  if (run === 0 && count > 1 && count < size) values[1] = high;
  shuffle(values, random);
  return values;
}

/** A step through numbers below a size that meets all of them: near the golden section of it. */
function coprimeStep(size: number): number {
  const common = (a: number, b: number): number => (b === 0 ? a : common(b, a % b));
  // Products with counts of elements stay exact.
  let step = Math.max(1, Math.min(Math.round(size * 0.618), 2 ** 20));
  while (common(step, size) !== 1) step++;
  return step;
}

/** Fisher and Yates' shuffle. */
function shuffle(values: Float64Array, random: Xoshiro128): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = random.integer(i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

/** Rows of ones and then zeros along the last axis, at least one of each where there is room. */
function drawMask(shape: readonly number[], random: Xoshiro128): Float64Array {
  const width = shape.at(-1)!;
  const data = new Float64Array(sizeOf(shape));
  for (let row = 0; row < data.length; row += width) {
    // The first row is a whole one, as the longest sequence of a batch is.
    const length =
      row === 0 && data.length > width ? width : 1 + random.integer(Math.max(width - 1, 1));
    data.fill(1, row, row + length);
  }
  return data;
}
