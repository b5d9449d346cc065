import { bounds, isStatic } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { hull, placesIn } from '../tensor/interval.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { maxKnownElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/** For each dimension the indices of the elements at `places`, one dimension after another. */
function indicesOf(places: readonly number[], shape: readonly number[]): number[] {
  const strides = stridesOf(shape);
  return shape.flatMap((size, axis) =>
    places.map((place) => Math.floor(place / strides[axis]!) % size),
  );
}

/** The places of known elements that are not 0; undefined when that is open for one of them. */
function knownPlaces({ elements }: ValueType): readonly number[] | undefined {
  const ranges = elements?.map(bounds);
  if (!ranges?.every(([low, high]) => low > 0 || high < 0 || (low === 0 && high === 0)))
    return undefined;
  return ranges.flatMap(([low, high], i) => (low === 0 && high === 0 ? [] : [i]));
}

/** Where a tensor is not zero. */
export const nonZero = defineOp({
  name: 'NonZero',
  summary:
    'The indices of the elements of `x` that are not zero, in C order: one row for each dimension, one column for each such element.',
  inputs: { x: one(...numberTypes, 'bool') },
  outputs: { y: one('int64') },
  attrs: {},
  constraints: {},
  infer: ({ x }, _, { fresh }) => {
    const places = knownPlaces(x);
    if (
      places &&
      x.shape &&
      isStatic(x.shape) &&
      places.length * x.shape.length <= maxKnownElements
    ) {
      return {
        y: {
          dtype: 'int64',
          shape: [x.shape.length, places.length],
          elements: indicesOf(places, x.shape),
        },
      };
    }
    return {
      y: { dtype: 'int64', shape: [x.shape ? x.shape.length : fresh('rank'), fresh('nonzero')] },
    };
  },
  range: (_, __, { x }) => ({ y: hull(...(x.shape ?? [undefined]).map(placesIn)) ?? [0n, 0n] }),
  evaluate: ({ x }) => {
    const places: number[] = [];
    for (let i = 0; i < x.data.length; i++) if (x.data[i] != 0) places.push(i);
    return { y: tensor('int64', [x.shape.length, places.length], indicesOf(places, x.shape)) };
  },
  layout: fixed('it lists places in the order of elements'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, 0, NaN, -1]) },
      attrs: {},
      outputs: { y: tensor('int64', [2, 3], [0, 1, 1, 0, 0, 1]) },
    },
    {
      inputs: { x: tensor('bool', [3], [false, true, false]) },
      attrs: {},
      outputs: { y: tensor('int64', [1, 1], [1]) },
    },
  ],
});
