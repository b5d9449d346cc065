import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { addDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { corners } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/** Sum with broadcasting; integers wrap. */
export const add = defineOp({
  name: 'Add',
  summary: 'Sum of `a` and `b` with broadcasting.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: { ...broadcastType(a.dtype, a, b), elements: broadcastElements(a.dtype, a, b, addDim) },
  }),
  range: ({ a, b }) => ({ y: corners(a, b, (x, y) => x + y) }),
  demands: (_, __, { y }, { a, b }) => ({
    a: corners(y, b, (sum, x) => sum - x),
    b: corners(y, a, (sum, x) => sum - x),
  }),
  evaluate: ({ a, b }) => ({
    y: wrapInteger(
      evaluateBinary(
        a,
        b,
        a.dtype,
        (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = a[i]! + b[i]!;
        },
        (x, y) => x + y,
      ),
    ),
  }),
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: { a: tensor('float32', [2, 1], [1, 2]), b: tensor('float32', [3], [10, 20, 30]) },
      attrs: {},
      outputs: { y: tensor('float32', [2, 3], [11, 21, 31, 12, 22, 32]) },
    },
    {
      inputs: { a: tensor('uint8', [1], [250]), b: tensor('uint8', [1], [10]) },
      attrs: {},
      outputs: { y: tensor('uint8', [1], [4]) },
    },
  ],
});
