import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { knownComparison } from '../typing/known-comparison.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether a < b, with broadcasting; false where one is NaN. */
export const less = defineOp({
  name: 'Less',
  summary: 'Whether a < b, with broadcasting; false where one is NaN.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one('bool') },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: {
      ...broadcastType('bool', a, b),
      elements: broadcastElements('bool', a, b, (x, y) =>
        knownComparison(x, y, (difference) => difference < 0),
      ),
    },
  }),
  evaluate: ({ a, b }) => ({
    y: evaluateBinary(
      a,
      b,
      'bool',
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = a[i]! < b[i]! ? 1 : 0;
      },
      (x, y) => (x < y ? 1 : 0),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { a: tensor('float32', [4], [1, 2, 3, NaN]), b: tensor('float32', [], [2]) },
      attrs: {},
      outputs: { y: tensor('bool', [4], [true, false, false, false]) },
    },
    {
      inputs: { a: tensor('int64', [3], [1, 2, 3]), b: tensor('int64', [1], [2]) },
      attrs: {},
      outputs: { y: tensor('bool', [3], [true, false, false]) },
    },
  ],
});
