import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { intTypes } from '../tensor/dtype.js';
import { bitPatterns } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Bits set in either. With broadcasting. */
export const bitwiseOr = defineOp({
  name: 'BitwiseOr',
  summary: 'Bits set in either of `a` and `b`, with broadcasting.',
  inputs: { a: one(...intTypes), b: one(...intTypes) },
  outputs: { y: one(...intTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({ y: broadcastType(a.dtype, a, b) }),
  range: ({ a, b }) => ({ y: a && b && bitPatterns(a, b) }),
  evaluate: ({ a, b }) => ({
    y: wrapInteger(
      evaluateBinary(
        a,
        b,
        a.dtype,
        (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = a[i]! | b[i]!;
        },
        (x, y) => x | y,
      ),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { a: tensor('uint8', [2], [12, 255]), b: tensor('uint8', [2], [10, 1]) },
      attrs: {},
      outputs: { y: tensor('uint8', [2], [14, 255]) },
    },
    {
      inputs: { a: tensor('uint32', [1], [4294967295]), b: tensor('uint32', [1], [2147483648]) },
      attrs: {},
      outputs: { y: tensor('uint32', [1], [4294967295]) },
    },
    {
      inputs: { a: tensor('int64', [1], [-1]), b: tensor('int64', [1], [5]) },
      attrs: {},
      outputs: { y: tensor('int64', [1], [-1]) },
    },
  ],
});
