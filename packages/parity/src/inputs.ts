import { isFloat, isInt, sizeOf, type Tensor } from '@drover/core';
import { roundTo } from '@drover/core/format';
import type { InputSpec } from './input-spec.js';
import { Xoshiro128 } from './random.js';
import { chooseShapes } from './sizes.js';

/** How inputs are made. */
export interface InputOptions {
  /** Equal seeds give equal inputs. */
  readonly seed: number;
  /** Sizes of free dimensions, by symbol or by `NAME[AXIS]`. */
  readonly sizes?: ReadonlyMap<string, number>;
  /**
   * `edge` walks through zeros, units, halves, tiny and huge numbers instead of drawing normal
   * ones; it changes floats only.
   */
  readonly values?: 'normal' | 'edge';
}

/** Numbers at which frameworks part ways; those that a type lacks become what it rounds them to. */
const edges = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 1e-7, -1e-7, 1e-40, -1e-40, 88, -88, 1e4, -1e4,
  65504, -65504,
];

/**
 * Makes inputs from a seed: standard normal floats, integers below the input's bound, bool and
 * short words. Free dimensions that are not given become pairwise different primes that no fixed
 * dimension has, because equal sizes hide layout errors. Each input has a stream of its own, so
 * that another one beside it changes nothing.
 */
export function makeInputs(
  specs: readonly InputSpec[],
  { seed, sizes, values = 'normal' }: InputOptions,
): Map<string, Tensor> {
  const shapes = chooseShapes(specs, sizes ?? new Map());
  return new Map(
    specs.map((spec, i) => {
      const random = Xoshiro128.seeded(seed, i);
      return [spec.name, fill(spec, shapes[i]!, random, values)];
    }),
  );
}

function fill(
  { dtype, below = 2 }: InputSpec,
  shape: readonly number[],
  random: Xoshiro128,
  values: 'normal' | 'edge',
): Tensor {
  const count = sizeOf(shape);
  const draw = <T>(one: (i: number) => T) => Array.from({ length: count }, (_, i) => one(i));
  if (dtype === 'string') return { dtype, shape, data: draw(() => `w${random.integer(1000)}`) };
  if (dtype === 'bool')
    return { dtype, shape, data: Uint8Array.from(draw(() => random.integer(2))) };
  if (dtype === 'int64')
    return { dtype, shape, data: BigInt64Array.from(draw(() => BigInt(random.integer(below)))) };
  if (dtype === 'uint64')
    return { dtype, shape, data: BigUint64Array.from(draw(() => BigInt(random.integer(below)))) };
  if (isInt(dtype))
    return { dtype, shape, data: Float64Array.from(draw(() => random.integer(below))) };
  const parts = isFloat(dtype) ? count : 2 * count;
  const data = Float64Array.from({ length: parts }, (_, i) =>
    values === 'edge' ? edges[i % edges.length]! : random.normal(),
  );
  return {
    dtype,
    shape,
    data: isFloat(dtype)
      ? roundTo(dtype, data)
      : dtype === 'complex64'
        ? data.map(Math.fround)
        : data,
  };
}
