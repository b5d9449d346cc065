import { testFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { bool } from './attr.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether infinite, of the signs that are asked for. */
export const isInf = defineOp({
  name: 'IsInf',
  summary: 'Whether `x` is infinite: positive, negative or either.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one('bool') },
  attrs: { positive: bool(), negative: bool() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: 'bool', shape: x.shape } }),
  evaluate: ({ x }, { positive, negative }) => ({
    y: testFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++)
        y[i] = (positive && x[i] === Infinity) || (negative && x[i] === -Infinity) ? 1 : 0;
    }),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [4], [1, NaN, Infinity, -Infinity]) },
      attrs: { positive: true, negative: false },
      outputs: { y: tensor('bool', [4], [false, false, true, false]) },
    },
    {
      inputs: { x: tensor('float32', [2], [Infinity, -Infinity]) },
      attrs: { positive: true, negative: true },
      outputs: { y: tensor('bool', [2], [true, true]) },
    },
  ],
});
