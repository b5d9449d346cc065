import { mapNumber } from '../numeric/map.js';
import { maxDim } from '../tensor/dim.js';
import { floatTypes, signedIntTypes } from '../tensor/dtype.js';
import { ends } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { mapElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** The positive part. */
export const relu = defineOp({
  name: 'Relu',
  summary: 'max(x, 0).',
  inputs: { x: one(...floatTypes, ...signedIntTypes) },
  outputs: { y: one(...floatTypes, ...signedIntTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({
    y: { dtype: x.dtype, shape: x.shape, elements: mapElements(x, x.dtype, (e) => maxDim(e, 0)) },
  }),
  range: ({ x }) => ({ y: ends(x, (v) => (v > 0n ? v : 0n)) }),
  evaluate: ({ x }) => ({
    y: mapNumber(
      x,
      (y, x) => {
        for (let i = 0; i < y.length; i++) y[i] = Math.max(x[i]!, 0);
      },
      (x) => (x > 0n ? x : 0n),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    unaryExample([
      [-2, 0],
      [0, 0],
      [1.5, 1.5],
      [NaN, NaN],
    ]),
    {
      inputs: { x: tensor('int64', [2], [-9, 9]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [0, 9]) },
    },
  ],
});
