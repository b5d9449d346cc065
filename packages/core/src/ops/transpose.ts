import { strided } from '../numeric/copy.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { movedElements } from '../typing/moved-elements.js';
import { ints } from './attr.js';
import { defineOp, one } from './define-op.js';
import { permuting } from './layout.js';
import { exact } from './rounding.js';

/** Whether a list is a permutation of 0 … rank-1. */
function isPermutation(perm: readonly number[]): boolean {
  return [...perm].sort((a, b) => a - b).every((p, i) => p === i);
}

/** Dimension i of the result is dimension perm[i] of `x`. */
function transposed(x: Tensor, perm: readonly number[]): Tensor {
  const strides = stridesOf(x.shape);
  return strided(
    x,
    perm.map((p) => x.shape[p]!),
    perm.map((p) => strides[p]!),
  );
}

/** Dimensions in another order. */
export const transpose = defineOp({
  name: 'Transpose',
  summary: 'Dimension i of the result is dimension perm[i] of `x`.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { perm: ints() },
  constraints: {
    C1: {
      says: 'perm is a permutation of the dimensions of x',
      holds: ({ x }, { perm }) =>
        isPermutation(perm) && (!x.shape || x.shape.length === perm.length),
    },
  },
  infer: ({ x }, { perm }) => {
    const shape = x.shape && perm.map((p) => x.shape![p]!);
    return {
      y: {
        dtype: x.dtype,
        shape,
        elements: movedElements([x], shape, ([at]) => transposed(at!, perm)),
      },
    };
  },
  range: ({ x }) => ({ y: x }),
  demands: (_, __, { y }) => ({ x: y }),
  evaluate: ({ x }, { perm }) => ({ y: transposed(x, perm) }),
  layout: permuting,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { perm: [1, 0] },
      outputs: { y: tensor('float32', [3, 2], [1, 4, 2, 5, 3, 6]) },
    },
    {
      inputs: { x: tensor('complex64', [1, 2, 2], [1, -1, 2, -2, 3, -3, 4, -4]) },
      attrs: { perm: [2, 1, 0] },
      outputs: { y: tensor('complex64', [2, 2, 1], [1, -1, 3, -3, 2, -2, 4, -4]) },
    },
  ],
});
