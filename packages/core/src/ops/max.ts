import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { maxDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { corners } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** The larger of two numbers with broadcasting; NaN where one of them is. */
export const max = defineOp({
  name: 'Max',
  summary: 'The larger of `a` and `b` with broadcasting; NaN where one of them is.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: { ...broadcastType(a.dtype, a, b), elements: broadcastElements(a.dtype, a, b, maxDim) },
  }),
  range: ({ a, b }) => ({ y: corners(a, b, (x, y) => (x > y ? x : y)) }),
  evaluate: ({ a, b }) => ({
    y: evaluateBinary(
      a,
      b,
      a.dtype,
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = Math.max(a[i]!, b[i]!);
      },
      (x, y) => (x > y ? x : y),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { a: tensor('float32', [3], [1, 2, 4]), b: tensor('float32', [3], [3, 2, -5]) },
      attrs: {},
      outputs: { y: tensor('float32', [3], [3, 2, 4]) },
    },
    {
      inputs: { a: tensor('float64', [2], [NaN, 1]), b: tensor('float64', [], [0]) },
      attrs: {},
      outputs: { y: tensor('float64', [2], [NaN, 1]) },
    },
    {
      inputs: { a: tensor('int64', [2], [1, -3]), b: tensor('int64', [], [0]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [1, 0]) },
    },
  ],
});
