import { scalar } from '../building/scalar.js';
import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { elu } from './elu.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { mul } from './mul.js';
import { ofOne } from './rounding.js';

/** gamma x, and gamma alpha (e^x - 1) below 0 (Klambauer et al. 2017). */
export const selu = defineOp({
  name: 'Selu',
  summary: 'gamma x from 0 on, gamma alpha (e^x - 1) below.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float(), gamma: float() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha, gamma }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++)
        y[i] = gamma * (x[i]! < 0 ? alpha * Math.expm1(x[i]!) : x[i]!);
    }),
  }),
  layout: elementwise,
  rounding: () => ofOne(4),
  examples: [
    unaryExample(
      [
        [-Math.log(2), -3],
        [0, 0],
        [1, 3],
      ],
      { alpha: 2, gamma: 3 },
    ),
  ],
  decompose: ({ x }, { alpha, gamma }, graph) =>
    graph.add(mul, { a: graph.add(elu, { x }, { alpha }).y, b: scalar(graph, x.dtype, gamma) }, {}),
});
