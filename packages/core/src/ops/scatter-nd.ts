import { mayEqual } from '../constraints/same-type.js';
import { canReduce } from '../constraints/scatter-update.js';
import { partsOf } from '../numeric/copy.js';
import { blockPlaces } from '../numeric/element-places.js';
import { updateElement } from '../numeric/scatter-update.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { dtypes } from '../tensor/dtype.js';
import { countInterval, indicesInto } from '../tensor/interval.js';
import { sizeOf, tensor, type Elements } from '../tensor/tensor.js';
import { updatedRange } from '../typing/scatter-update.js';
import { defineOp, one } from './define-op.js';
import { reductionAttr } from './families/scatter.js';
import { fixed } from './layout.js';
import { ofTerms } from './rounding.js';

/** Blocks of a tensor replaced by index tuples. */
export const scatterND = defineOp({
  name: 'ScatterND',
  summary:
    '`x` with each block of `updates` put where its tuple (the last dimension of `indices`) says; negative indices count from the end. `reduction` says how an update meets the element that is there; updates are put in C order.',
  inputs: { x: one(...dtypes), indices: one('int64', 'int32'), updates: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { reduction: reductionAttr() },
  constraints: {
    C1: {
      says: 'only numbers are combined',
      holds: ({ x }, { reduction }) => canReduce(x.dtype, reduction),
    },
    C2: {
      says: 'a tuple has at most one index for each dimension of x',
      holds: ({ x, indices }) => {
        const depth = indices.shape ? indices.shape.at(-1) : 0;
        return (
          depth !== undefined && (typeof depth !== 'number' || !x.shape || depth <= x.shape.length)
        );
      },
    },
    C3: {
      says: 'updates has one block of x for each tuple',
      holds: ({ x, indices, updates }) => {
        const depth = indices.shape?.at(-1);
        if (!x.shape || typeof depth !== 'number' || !updates.shape) return true;
        const shape = [...indices.shape!.slice(0, -1), ...x.shape.slice(depth)];
        return (
          shape.length === updates.shape.length &&
          shape.every((dim, i) => mayEqual(dim, updates.shape![i]!))
        );
      },
    },
    C4: {
      says: 'x and updates have one element type',
      holds: ({ x, updates }) => x.dtype === updates.dtype,
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x, updates }, { reduction }, types) => ({
    y: updatedRange(
      x,
      updates,
      reduction,
      types.x.dtype,
      countInterval(types.indices.shape?.slice(0, -1) ?? [undefined]),
    ),
  }),
  demands: ({ x }) => ({ indices: indicesInto(...(x.shape ?? [undefined])) }),
  evaluate: ({ x, indices, updates }, { reduction }) => {
    const data = x.data.slice() as Elements;
    const parts = partsOf(x.dtype);
    const size = sizeOf(x.shape.slice(indices.shape.at(-1)!)) * parts;
    blockPlaces(x.shape, indices, 0).forEach((place, i) => {
      for (let k = 0; k < size; k++)
        updateElement(data, place * parts + k, updates.data, i * size + k, reduction);
    });
    return { y: wrapInteger({ ...x, data }) };
  },
  layout: fixed('its tuples name places by the leading dimensions in order'),
  rounding: ({ indices }, { reduction }) =>
    ofTerms(
      reduction === 'add' || reduction === 'mul' ? Math.sqrt(sizeOf(indices.slice(0, -1))) : 0,
    ),
  examples: [
    {
      inputs: {
        x: tensor('float32', [4], [1, 2, 3, 4]),
        indices: tensor('int64', [2, 1], [3, 1]),
        updates: tensor('float32', [2], [9, 8]),
      },
      attrs: { reduction: 'none' },
      outputs: { y: tensor('float32', [4], [1, 8, 3, 9]) },
    },
    {
      inputs: {
        x: tensor('int32', [2, 2], [1, 2, 3, 4]),
        indices: tensor('int64', [2, 1], [0, 0]),
        updates: tensor('int32', [2, 2], [10, 20, 2, 3]),
      },
      attrs: { reduction: 'mul' },
      outputs: { y: tensor('int32', [2, 2], [20, 120, 3, 4]) },
    },
  ],
});
