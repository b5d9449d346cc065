import { areAxes } from '../constraints/axes.js';
import { mayEqual } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { dtypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { ints } from './attr.js';
import { defineOp, one } from './define-op.js';
import { removesDimensions } from './layout.js';
import { exact } from './rounding.js';

/** Dimensions of size 1 taken out. */
export const squeeze = defineOp({
  name: 'Squeeze',
  summary: 'The dimensions `axes` of `x`, each of size 1, taken out.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axes: ints() },
  constraints: {
    C1: {
      says: 'axes are different dimensions of x',
      holds: ({ x }, { axes }) => areAxes(axes, x),
    },
    C2: {
      says: 'the dimensions axes of x are 1',
      holds: ({ x }, { axes }) => !x.shape || axes.every((axis) => mayEqual(x.shape![axis]!, 1)),
    },
  },
  infer: ({ x }, { axes }) => ({
    y: {
      dtype: x.dtype,
      shape: x.shape?.filter((_, axis) => !axes.includes(axis)),
      elements: x.elements,
    },
  }),
  range: ({ x }) => ({ y: x }),
  demands: (_, __, { y }) => ({ x: y }),
  evaluate: ({ x }, { axes }) => {
    if (axes.some((axis) => x.shape[axis] !== 1)) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `Not every one of the dimensions ${axes.join(', ')} of [${x.shape.join(', ')}] is 1.`,
        origin: { file: '' },
      });
    }
    return { y: { ...x, shape: x.shape.filter((_, axis) => !axes.includes(axis)) } };
  },
  layout: removesDimensions,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [1, 2, 1], [3, 4]) },
      attrs: { axes: [2, 0] },
      outputs: { y: tensor('float32', [2], [3, 4]) },
    },
  ],
});
