import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { ofOne } from './rounding.js';

/** x, and alpha (e^x - 1) below 0. */
export const elu = defineOp({
  name: 'Elu',
  summary: '`x` from 0 on, alpha (e^x - 1) below.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i]! < 0 ? alpha * Math.expm1(x[i]!) : x[i]!;
    }),
  }),
  layout: elementwise,
  rounding: () => ofOne(2),
  examples: [
    unaryExample(
      [
        [-Math.log(2), -1],
        [0, 0],
        [3, 3],
        [-Infinity, -2],
      ],
      { alpha: 2 },
    ),
  ],
});
