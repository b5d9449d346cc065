import { broadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { minDim } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether both are true, with broadcasting. */
export const and = defineOp({
  name: 'And',
  summary: 'Whether both are true, with broadcasting.',
  inputs: { a: one('bool'), b: one('bool') },
  outputs: { y: one('bool') },
  attrs: {},
  constraints: broadcast,
  infer: ({ a, b }) => ({
    y: { ...broadcastType('bool', a, b), elements: broadcastElements('bool', a, b, minDim) },
  }),
  evaluate: ({ a, b }) => ({
    y: evaluateBinary(
      a,
      b,
      'bool',
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = a[i]! & b[i]!;
      },
      () => 0,
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: {
        a: tensor('bool', [4], [true, true, false, false]),
        b: tensor('bool', [4], [true, false, true, false]),
      },
      attrs: {},
      outputs: { y: tensor('bool', [4], [true, false, false, false]) },
    },
  ],
});
