import { areAxes } from '../constraints/axes.js';
import { strided } from '../numeric/copy.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import { movedElements } from '../typing/moved-elements.js';
import { ints } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxes } from './layout.js';
import { exact } from './rounding.js';

function reversed(x: Tensor, axes: readonly number[]): Tensor {
  if (sizeOf(x.shape) === 0) return x;
  const strides = stridesOf(x.shape);
  const first = axes.reduce((sum, axis) => sum + (x.shape[axis]! - 1) * strides[axis]!, 0);
  return strided(
    x,
    x.shape,
    strides.map((stride, axis) => (axes.includes(axis) ? -stride : stride)),
    first,
  );
}

/** Indices in the opposite order along some axes. */
export const reverse = defineOp({
  name: 'Reverse',
  summary: '`x` with the order of its indices turned round along `axes`.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axes: ints() },
  constraints: {
    C1: {
      says: 'axes are different dimensions of x',
      holds: ({ x }, { axes }) => areAxes(axes, x),
    },
  },
  infer: ({ x }, { axes }) => ({
    y: {
      dtype: x.dtype,
      shape: x.shape,
      elements: movedElements([x], x.shape, ([at]) => reversed(at!, axes)),
    },
  }),
  range: ({ x }) => ({ y: x }),
  demands: (_, __, { y }) => ({ x: y }),
  evaluate: ({ x }, { axes }) => ({ y: reversed(x, axes) }),
  layout: alongAxes,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axes: [1] },
      outputs: { y: tensor('float32', [2, 3], [3, 2, 1, 6, 5, 4]) },
    },
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axes: [1, 0] },
      outputs: { y: tensor('float32', [2, 3], [6, 5, 4, 3, 2, 1]) },
    },
  ],
});
