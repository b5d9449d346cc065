import { isAxis } from '../constraints/axes.js';
import { mayEqual } from '../constraints/same-type.js';
import { canReduce } from '../constraints/scatter-update.js';
import { partsOf } from '../numeric/copy.js';
import { elementPlaces } from '../numeric/element-places.js';
import { updateElement } from '../numeric/scatter-update.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { dtypes } from '../tensor/dtype.js';
import { indicesInto, sizeInterval } from '../tensor/interval.js';
import { tensor, type Elements } from '../tensor/tensor.js';
import { updatedRange } from '../typing/scatter-update.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { reductionAttr } from './families/scatter.js';
import { alongAxis } from './layout.js';
import { ofTerms } from './rounding.js';

/** Elements of a tensor replaced by number along one axis. */
export const scatterElements = defineOp({
  name: 'ScatterElements',
  summary:
    '`x` with each update put at its own place, except that the place along `axis` is the index; negative indices count from the end. `reduction` says how an update meets the element that is there; updates are put in C order.',
  inputs: { x: one(...dtypes), indices: one('int64', 'int32'), updates: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axis: int(), reduction: reductionAttr() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
      says: 'only numbers are combined',
      holds: ({ x }, { reduction }) => canReduce(x.dtype, reduction),
    },
    C3: {
      says: 'indices has as many dimensions as x, and none but axis is larger',
      holds: ({ x, indices }, { axis }) =>
        !x.shape ||
        !indices.shape ||
        (x.shape.length === indices.shape.length &&
          indices.shape.every(
            (dim, i) =>
              i === axis ||
              typeof dim !== 'number' ||
              typeof x.shape![i] !== 'number' ||
              dim <= x.shape![i],
          )),
    },
    C4: {
      says: 'updates has the shape of indices',
      holds: ({ indices, updates }) =>
        !indices.shape ||
        !updates.shape ||
        (indices.shape.length === updates.shape.length &&
          indices.shape.every((dim, i) => mayEqual(dim, updates.shape![i]!))),
    },
    C5: {
      says: 'x and updates have one element type',
      holds: ({ x, updates }) => x.dtype === updates.dtype,
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x, updates }, { axis, reduction }, types) => ({
    y: updatedRange(
      x,
      updates,
      reduction,
      types.x.dtype,
      sizeInterval(types.indices.shape?.[axis]),
    ),
  }),
  demands: ({ x }, { axis }) => ({ indices: indicesInto(x.shape?.[axis]) }),
  evaluate: ({ x, indices, updates }, { axis, reduction }) => {
    const data = x.data.slice() as Elements;
    const parts = partsOf(x.dtype);
    elementPlaces(x.shape, indices, axis).forEach((place, i) => {
      for (let k = 0; k < parts; k++)
        updateElement(data, place * parts + k, updates.data, i * parts + k, reduction);
    });
    return { y: wrapInteger({ ...x, data }) };
  },
  layout: alongAxis('all', 'axis'),
  rounding: ({ indices }, { axis, reduction }) =>
    ofTerms(reduction === 'add' || reduction === 'mul' ? Math.sqrt(indices[axis]!) : 0),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 5], [1, 2, 3, 4, 5]),
        indices: tensor('int64', [1, 2], [1, -2]),
        updates: tensor('float32', [1, 2], [7, 8]),
      },
      attrs: { axis: 1, reduction: 'none' },
      outputs: { y: tensor('float32', [1, 5], [1, 7, 3, 8, 5]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 5], [1, 2, 3, 4, 5]),
        indices: tensor('int64', [1, 2], [1, 1]),
        updates: tensor('float32', [1, 2], [1.5, 2]),
      },
      attrs: { axis: 1, reduction: 'add' },
      outputs: { y: tensor('float32', [1, 5], [1, 5.5, 3, 4, 5]) },
    },
    {
      inputs: {
        x: tensor('int64', [2], [5, -5]),
        indices: tensor('int64', [2], [0, 1]),
        updates: tensor('int64', [2], [3, -3]),
      },
      attrs: { axis: 0, reduction: 'max' },
      outputs: { y: tensor('int64', [2], [5, -3]) },
    },
  ],
});
