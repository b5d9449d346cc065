import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { knownComparison } from '../typing/known-comparison.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether equal, with broadcasting; NaN equals nothing. */
export const equal = defineOp({
  name: 'Equal',
  summary: 'Whether a = b, with broadcasting; NaN equals nothing.',
  inputs: { a: one(...numberTypes, 'bool', 'string'), b: one(...numberTypes, 'bool', 'string') },
  outputs: { y: one('bool') },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: {
      ...broadcastType('bool', a, b),
      elements: broadcastElements('bool', a, b, (x, y) =>
        knownComparison(x, y, (difference) => difference === 0),
      ),
    },
  }),
  evaluate: ({ a, b }) => ({
    y: evaluateBinary(
      a,
      b,
      'bool',
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = a[i]! === b[i]! ? 1 : 0;
      },
      (x, y) => (x === y ? 1 : 0),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { a: tensor('float32', [3], [1, 2, NaN]), b: tensor('float32', [3], [1, 3, NaN]) },
      attrs: {},
      outputs: { y: tensor('bool', [3], [true, false, false]) },
    },
    {
      inputs: { a: tensor('int64', [2], [5, 6]), b: tensor('int64', [], [6]) },
      attrs: {},
      outputs: { y: tensor('bool', [2], [false, true]) },
    },
    {
      inputs: { a: tensor('string', [2], ['a', 'b']), b: tensor('string', [], ['b']) },
      attrs: {},
      outputs: { y: tensor('bool', [2], [false, true]) },
    },
    {
      inputs: { a: tensor('bool', [2], [true, false]), b: tensor('bool', [], [false]) },
      attrs: {},
      outputs: { y: tensor('bool', [2], [false, true]) },
    },
  ],
});
