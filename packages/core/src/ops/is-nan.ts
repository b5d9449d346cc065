import { testFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether not a number. */
export const isNan = defineOp({
  name: 'IsNaN',
  summary: 'Whether `x` is NaN.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one('bool') },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: 'bool', shape: x.shape } }),
  evaluate: ({ x }) => ({
    y: testFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = Number.isNaN(x[i]) ? 1 : 0;
    }),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [3], [1, NaN, Infinity]) },
      attrs: {},
      outputs: { y: tensor('bool', [3], [false, true, false]) },
    },
  ],
});
