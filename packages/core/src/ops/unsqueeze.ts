import { dtypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import type { Dim } from '../tensor/dim.js';
import { ints } from './attr.js';
import { defineOp, one } from './define-op.js';
import { addsDimensions } from './layout.js';
import { exact } from './rounding.js';

/** The shape with dimensions of 1 put in so that they stand at `axes` of the result. */
function grown<D extends Dim>(shape: readonly D[], axes: readonly number[]): (D | 1)[] {
  const added = new Set(axes);
  let next = 0;
  return Array.from({ length: shape.length + axes.length }, (_, axis) =>
    added.has(axis) ? 1 : shape[next++]!,
  );
}

/** Dimensions of size 1 put in. */
export const unsqueeze = defineOp({
  name: 'Unsqueeze',
  summary: 'Dimensions of size 1 put in, so that they are the dimensions `axes` of the result.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axes: ints() },
  constraints: {
    C1: {
      says: 'axes are different dimensions of the result',
      holds: ({ x }, { axes }) =>
        new Set(axes).size === axes.length &&
        axes.every((axis) => axis >= 0 && (!x.shape || axis < x.shape.length + axes.length)),
    },
  },
  infer: ({ x }, { axes }) => ({
    y: { dtype: x.dtype, shape: x.shape && grown(x.shape, axes), elements: x.elements },
  }),
  range: ({ x }) => ({ y: x }),
  demands: (_, __, { y }) => ({ x: y }),
  evaluate: ({ x }, { axes }) => ({ y: { ...x, shape: grown(x.shape, axes) } }),
  layout: addsDimensions('axes'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2], [3, 4]) },
      attrs: { axes: [0, 2] },
      outputs: { y: tensor('float32', [1, 2, 1], [3, 4]) },
    },
  ],
});
