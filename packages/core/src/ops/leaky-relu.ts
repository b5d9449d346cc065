import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/** x, and alpha x below 0. */
export const leakyRelu = defineOp({
  name: 'LeakyRelu',
  summary: '`x` from 0 on, alpha x below.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i]! < 0 ? alpha * x[i]! : x[i]!;
    }),
  }),
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    unaryExample(
      [
        [-2, -0.5],
        [0, 0],
        [3, 3],
      ],
      { alpha: 0.25 },
    ),
  ],
});
