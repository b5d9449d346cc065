import { isAxis } from '../constraints/axes.js';
import { lanes } from '../numeric/lanes.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { numberTypes, isInt } from '../tensor/dtype.js';
import { sizeInterval, sums } from '../tensor/interval.js';
import { allocate, sizeOf, tensor } from '../tensor/tensor.js';
import { bool, int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { ofTerms } from './rounding.js';

/** Running sums along an axis; integers wrap. */
export const cumSum = defineOp({
  name: 'CumSum',
  summary:
    'The sum of the elements up to each place along `axis`: from the end with `reverse`, without the element itself with `exclusive`.',
  inputs: { x: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: { axis: int(), exclusive: bool(), reverse: bool() },
  constraints: { C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) } },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x }, { axis, exclusive }, types) => {
    const [, size] = sizeInterval(types.x.shape?.[axis]);
    return {
      y: x && isInt(types.x.dtype) ? sums(x, exclusive ? [0n, size] : [1n, size]) : undefined,
    };
  },
  evaluate: ({ x }, { axis, exclusive, reverse }) => {
    const data = allocate(x.dtype, sizeOf(x.shape));
    // The same steps add numbers or 64-bit integers; the storage holds one kind.
    const [from, to, zero] = (
      data instanceof Float64Array ? [x.data, data, 0] : [x.data, data, 0n]
    ) as [Float64Array, Float64Array, number];
    lanes(x.shape, axis, (first, stride, size) => {
      const step = reverse ? -stride : stride;
      let sum = zero;
      for (let i = 0, p = reverse ? first + (size - 1) * stride : first; i < size; i++, p += step) {
        const before = sum;
        sum += from[p]!;
        to[p] = exclusive ? before : sum;
      }
    });
    return { y: wrapInteger({ dtype: x.dtype, shape: x.shape, data }) };
  },
  layout: alongAxis('first', 'axis'),
  rounding: ({ x }, { axis }) => ofTerms(Math.sqrt(x[axis]!)),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axis: 1, exclusive: false, reverse: false },
      outputs: { y: tensor('float32', [2, 3], [1, 3, 6, 4, 9, 15]) },
    },
    {
      inputs: { x: tensor('int64', [3], [1, 2, 3]) },
      attrs: { axis: 0, exclusive: true, reverse: true },
      outputs: { y: tensor('int64', [3], [5, 3, 0]) },
    },
  ],
});
