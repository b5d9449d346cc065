import { isAxis } from '../constraints/axes.js';
import { mayEqual } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { strided } from '../numeric/copy.js';
import { addDim, bounds, isStatic } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor, type Tensor } from '../tensor/tensor.js';
import { movedElements } from '../typing/moved-elements.js';
import { dims, int } from './attr.js';
import { defineOp, many, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { exact } from './rounding.js';

/** `size` slices of `x` along an axis, from `start` on. */
function part(x: Tensor, axis: number, start: number, size: number): Tensor {
  const strides = stridesOf(x.shape);
  return strided(
    x,
    x.shape.map((dim, i) => (i === axis ? size : dim)),
    strides,
    start * strides[axis]!,
  );
}

/** A tensor cut into pieces along an axis. */
export const split = defineOp({
  name: 'Split',
  summary: '`x` cut along `axis` into pieces of the given sizes.',
  inputs: { x: one(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: { axis: int(), sizes: dims() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
      says: 'no size is negative',
      holds: (_, { sizes }) => sizes.every((size) => bounds(size)[1] >= 0),
    },
    C3: {
      says: 'the sizes add up to the dimension of x',
      holds: ({ x }, { axis, sizes }) =>
        !x.shape || mayEqual(sizes.reduce(addDim, 0), x.shape[axis]!),
    },
  },
  infer: ({ x }, { axis, sizes }) => {
    let start = 0;
    const outputs = sizes.map((size) => {
      const shape = x.shape?.map((dim, i) => (i === axis ? size : dim));
      const first = start;
      start += Number(size);
      const elements = isStatic(sizes)
        ? movedElements([x], shape, ([at]) => part(at!, axis, first, Number(size)))
        : undefined;
      return { dtype: x.dtype, shape, elements };
    });
    return { outputs };
  },
  range: ({ x }, { sizes }) => ({ outputs: sizes.map(() => x) }),
  evaluate: ({ x }, { axis, sizes }) => {
    if (sizes.reduce((a, b) => a + b, 0) !== x.shape[axis]) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `Pieces of ${sizes.join(', ')} do not make up dimension ${axis} of [${x.shape.join(', ')}].`,
        origin: { file: '' },
      });
    }
    let start = 0;
    return { outputs: sizes.map((size) => part(x, axis, (start += size) - size, size)) };
  },
  layout: alongAxis('first', 'axis'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axis: 1, sizes: [1, 2] },
      outputs: {
        outputs: [tensor('float32', [2, 1], [1, 4]), tensor('float32', [2, 2], [2, 3, 5, 6])],
      },
    },
  ],
});
