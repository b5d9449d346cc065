import { offsets, stridesOf } from '../kernels/broadcast.js';
import { pickElements } from '../kernels/copy.js';
import { dtypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { ints } from './attr.js';
import { defineOp, one } from './define-op.js';

/** Whether a list is a permutation of 0 … rank-1. */
export function isPermutation(perm: readonly number[]): boolean {
  return [...perm].sort((a, b) => a - b).every((p, i) => p === i);
}

/** Dimensions in another order. */
export const transpose = defineOp({
  name: 'Transpose',
  summary: 'Dimension i of the result is dimension perm[i] of `x`.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { perm: ints() },
  constraints: {
    C1: { says: 'perm is a permutation of the dimensions of x', holds: ({ x }, { perm }) => isPermutation(perm) && (!x.shape || x.shape.length === perm.length) },
  },
  infer: ({ x }, { perm }) => ({
    y: { dtype: x.dtype, shape: x.shape && perm.map((p) => x.shape![p]!), elements: perm.length < 2 ? x.elements : undefined },
  }),
  evaluate: ({ x }, { perm }) => {
    const shape = perm.map((p) => x.shape[p]!);
    const strides = stridesOf(x.shape);
    return { y: pickElements(x, shape, offsets(shape, perm.map((p) => strides[p]!))) };
  },
  ulp: () => 0,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { perm: [1, 0] },
      outputs: { y: tensor('float32', [3, 2], [1, 4, 2, 5, 3, 6]) },
    },
  ],
});
