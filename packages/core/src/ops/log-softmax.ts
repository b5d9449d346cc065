import { isAxis } from '../constraints/axes.js';
import { lanes } from '../numeric/lanes.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { ofOne } from './rounding.js';

/** Logarithm of the softmax along one axis. */
export const logSoftmax = defineOp({
  name: 'LogSoftmax',
  summary: '`x` less the logarithm of the sum of its exponentials along `axis`.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int() },
  constraints: { C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) } },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { axis }) => {
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    const { exp, max } = Math;
    lanes(x.shape, axis, (first, stride, size) => {
      let largest = -Infinity;
      for (let i = 0, p = first; i < size; i++, p += stride) largest = max(largest, from[p]!);
      let sum = 0;
      for (let i = 0, p = first; i < size; i++, p += stride) sum += exp(from[p]! - largest);
      const level = Math.log(sum);
      for (let i = 0, p = first; i < size; i++, p += stride) data[p] = from[p]! - largest - level;
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: alongAxis('first', 'axis'),
  rounding: ({ x }, { axis }) => ofOne(Math.sqrt(x[axis]!) / 4 + 12),
  examples: [
    {
      inputs: { x: tensor('float64', [2, 2], [1000, 1000, 0, Math.log(3)]) },
      attrs: { axis: 1 },
      outputs: {
        y: tensor('float64', [2, 2], [-Math.LN2, -Math.LN2, -Math.log(4), Math.log(0.75)]),
      },
    },
  ],
});
