import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { subDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { corners } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/** Difference with broadcasting; integers wrap. */
export const sub = defineOp({
  name: 'Sub',
  summary: 'Difference a - b with broadcasting.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: { ...broadcastType(a.dtype, a, b), elements: broadcastElements(a.dtype, a, b, subDim) },
  }),
  range: ({ a, b }) => ({ y: corners(a, b, (x, y) => x - y) }),
  demands: (_, __, { y }, { a, b }) => ({
    a: corners(y, b, (rest, x) => rest + x),
    b: corners(y, a, (rest, x) => x - rest),
  }),
  evaluate: ({ a, b }) => ({
    y: wrapInteger(
      evaluateBinary(
        a,
        b,
        a.dtype,
        (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = a[i]! - b[i]!;
        },
        (x, y) => x - y,
      ),
    ),
  }),
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: { a: tensor('float32', [2, 1], [1, 2]), b: tensor('float32', [3], [10, 20, 30]) },
      attrs: {},
      outputs: { y: tensor('float32', [2, 3], [-9, -19, -29, -8, -18, -28]) },
    },
    {
      inputs: { a: tensor('uint8', [1], [3]), b: tensor('uint8', [1], [10]) },
      attrs: {},
      outputs: { y: tensor('uint8', [1], [249]) },
    },
    {
      inputs: { a: tensor('int64', [1], [3]), b: tensor('int64', [], [10]) },
      attrs: {},
      outputs: { y: tensor('int64', [1], [-7]) },
    },
  ],
});
