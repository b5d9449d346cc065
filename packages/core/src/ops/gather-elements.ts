import { isAxis } from '../constraints/axes.js';
import { pickElements } from '../numeric/copy.js';
import { elementPlaces } from '../numeric/element-places.js';
import { dtypes } from '../tensor/dtype.js';
import { indicesInto } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { exact } from './rounding.js';

/** Elements of a tensor by number along one axis. */
export const gatherElements = defineOp({
  name: 'GatherElements',
  summary:
    'For each index the element of `x` at the same place, except that its place along `axis` is the index; negative indices count from the end.',
  inputs: { x: one(...dtypes), indices: one('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { axis: int() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
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
  },
  infer: ({ x, indices }) => ({ y: { dtype: x.dtype, shape: indices.shape } }),
  range: ({ x }) => ({ y: x }),
  demands: ({ x }, { axis }) => ({ indices: indicesInto(x.shape?.[axis]) }),
  evaluate: ({ x, indices }, { axis }) => {
    const places = elementPlaces(x.shape, indices, axis);
    return { y: pickElements(x, indices.shape, (at) => places[at]!) };
  },
  layout: alongAxis('all', 'axis'),
  rounding: exact,
  examples: [
    {
      inputs: {
        x: tensor('float32', [2, 2], [1, 2, 3, 4]),
        indices: tensor('int64', [2, 2], [0, 0, 1, -2]),
      },
      attrs: { axis: 1 },
      outputs: { y: tensor('float32', [2, 2], [1, 1, 4, 3]) },
    },
    {
      inputs: {
        x: tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]),
        indices: tensor('int64', [1, 2], [2, 1]),
      },
      attrs: { axis: 0 },
      outputs: { y: tensor('float32', [1, 2], [5, 4]) },
    },
  ],
});
