import { mayEqual } from '../constraints/same-type.js';
import { copier, partsOf } from '../numeric/copy.js';
import { blockPlaces } from '../numeric/element-places.js';
import { dtypes } from '../tensor/dtype.js';
import { indicesInto } from '../tensor/interval.js';
import { allocate, sizeOf, tensor } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/** Blocks of a tensor by index tuples. */
export const gatherND = defineOp({
  name: 'GatherND',
  summary:
    'For each tuple along the last dimension of `indices` the block of `x` that it names, below `batchDims` leading dimensions that both have; negative indices count from the end.',
  inputs: { x: one(...dtypes), indices: one('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { batchDims: int() },
  constraints: {
    C1: {
      says: '0 <= batchDims < rank of x and of indices',
      holds: ({ x, indices }, { batchDims }) =>
        batchDims >= 0 && [x, indices].every(({ shape }) => !shape || batchDims < shape.length),
    },
    C2: {
      says: 'x and indices agree in the first batchDims dimensions',
      holds: ({ x, indices }, { batchDims }) =>
        !x.shape ||
        !indices.shape ||
        x.shape.slice(0, batchDims).every((dim, i) => mayEqual(dim, indices.shape![i]!)),
    },
    C3: {
      says: 'a tuple has at least one index and at most one for each dimension that is left',
      holds: ({ x, indices }, { batchDims }) => {
        const depth = indices.shape?.at(-1);
        return (
          typeof depth !== 'number' ||
          (depth >= 1 && (!x.shape || depth <= x.shape.length - batchDims))
        );
      },
    },
  },
  infer: ({ x, indices }, { batchDims }) => {
    const depth = indices.shape?.at(-1);
    const shape =
      x.shape && typeof depth === 'number'
        ? [...indices.shape!.slice(0, -1), ...x.shape.slice(batchDims + depth)]
        : undefined;
    return { y: { dtype: x.dtype, shape } };
  },
  range: ({ x }) => ({ y: x }),
  demands: ({ x }, { batchDims }) => ({
    indices: indicesInto(...(x.shape?.slice(batchDims) ?? [undefined])),
  }),
  evaluate: ({ x, indices }, { batchDims }) => {
    const places = blockPlaces(x.shape, indices, batchDims);
    const block = x.shape.slice(batchDims + indices.shape.at(-1)!);
    const shape = [...indices.shape.slice(0, -1), ...block];
    const data = allocate(x.dtype, sizeOf(shape));
    const parts = partsOf(x.dtype);
    const size = sizeOf(block) * parts;
    const copy = copier(x.data, data);
    places.forEach((place, i) => copy(place * parts, 1, i * size, size));
    return { y: { dtype: x.dtype, shape, data } };
  },
  layout: fixed('its tuples name places by the leading dimensions in order'),
  rounding: exact,
  examples: [
    {
      inputs: {
        x: tensor('int32', [2, 2], [0, 1, 2, 3]),
        indices: tensor('int64', [2, 2], [0, 0, 1, 1]),
      },
      attrs: { batchDims: 0 },
      outputs: { y: tensor('int32', [2], [0, 3]) },
    },
    {
      inputs: {
        x: tensor('int32', [2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]),
        indices: tensor('int64', [2, 1], [1, 0]),
      },
      attrs: { batchDims: 1 },
      outputs: { y: tensor('int32', [2, 2], [2, 3, 4, 5]) },
    },
  ],
});
