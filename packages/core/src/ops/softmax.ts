import { lanes } from '../numeric/lanes.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { ofElement } from './rounding.js';

/** Exponentials scaled to sum to one along one axis. */
export const softmax = defineOp({
  name: 'Softmax',
  summary: 'Exponentials of `x`, scaled to sum to one along `axis`.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int() },
  constraints: {
    C1: {
      says: '0 <= axis < rank(x)',
      holds: ({ x }, { axis }) => !x.shape || (axis >= 0 && axis < x.shape.length),
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { axis }) => {
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    const { exp, max } = Math;
    lanes(x.shape, axis, (first, stride, size) => {
      let largest = -Infinity;
      for (let i = 0, p = first; i < size; i++, p += stride) largest = max(largest, from[p]!);
      let sum = 0;
      for (let i = 0, p = first; i < size; i++, p += stride)
        sum += data[p] = exp(from[p]! - largest);
      for (let i = 0, p = first; i < size; i++, p += stride) data[p]! /= sum;
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: alongAxis('first', 'axis'),
  rounding: ({ x }, { axis }) => ofElement(Math.sqrt(x[axis]!) / 4 + 5),
  examples: [
    {
      inputs: { x: tensor('float64', [2, 2], [0, 0, 0, Math.log(3)]) },
      attrs: { axis: 1 },
      outputs: { y: tensor('float64', [2, 2], [0.5, 0.5, 0.25, 0.75]) },
    },
  ],
});
