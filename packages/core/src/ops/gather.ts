import { isAxis } from '../constraints/axes.js';
import { copier, partsOf } from '../numeric/copy.js';
import { indexOf } from '../numeric/index-of.js';
import { dtypes } from '../tensor/dtype.js';
import { indicesInto } from '../tensor/interval.js';
import { allocate, sizeOf, tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { knownNumbers, movedElements } from '../typing/moved-elements.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { gathering } from './layout.js';
import { exact } from './rounding.js';

function gathered(
  x: Tensor,
  indices: ArrayLike<number>,
  shape: readonly number[],
  axis: number,
): Tensor {
  const data = allocate(x.dtype, sizeOf(shape));
  const size = x.shape[axis]!;
  const block = sizeOf(x.shape.slice(axis + 1)) * partsOf(x.dtype);
  const outer = sizeOf(x.shape.slice(0, axis));
  const copy = copier(x.data, data);
  for (let row = 0, at = 0; row < outer; row++) {
    for (let i = 0; i < indices.length; i++, at += block)
      copy((row * size + indexOf(indices[i]!, size)) * block, 1, at, block);
  }
  return { dtype: x.dtype, shape, data };
}

/** Slices of a tensor by number. */
export const gather = defineOp({
  name: 'Gather',
  summary:
    'Slices of `x` along `axis`, one for each index; negative indices count from the end, and the dimensions of `indices` take the place of `axis`.',
  inputs: { x: one(...dtypes), indices: one('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { axis: int() },
  constraints: { C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) } },
  infer: ({ x, indices }, { axis }) => {
    const shape = x.shape &&
      indices.shape && [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    const numbers = knownNumbers(indices);
    const size = x.shape?.[axis];
    const isInside =
      numbers &&
      typeof size === 'number' &&
      numbers.every((index) => index >= -size && index < size);
    const elements = isInside
      ? movedElements([x], shape, ([at]) =>
          gathered(at!, numbers, shape as readonly number[], axis),
        )
      : undefined;
    return { y: { dtype: x.dtype, shape, elements } };
  },
  range: ({ x }) => ({ y: x }),
  demands: ({ x }, { axis }) => ({ indices: indicesInto(x.shape?.[axis]) }),
  evaluate: ({ x, indices }, { axis }) => {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return { y: gathered(x, toNumbers(indices), shape, axis) };
  },
  layout: gathering,
  rounding: exact,
  examples: [
    {
      inputs: {
        x: tensor('float32', [3, 2], [1, 2, 3, 4, 5, 6]),
        indices: tensor('int64', [2], [-1, 0]),
      },
      attrs: { axis: 0 },
      outputs: { y: tensor('float32', [2, 2], [5, 6, 1, 2]) },
    },
    {
      inputs: {
        x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]),
        indices: tensor('int32', [], [1]),
      },
      attrs: { axis: 1 },
      outputs: { y: tensor('float32', [2], [2, 5]) },
    },
  ],
});
