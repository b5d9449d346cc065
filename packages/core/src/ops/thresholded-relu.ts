import { scalar } from '../building/scalar.js';
import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { greater } from './greater.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';
import { where } from './where.js';

/** x above alpha, else 0. */
export const thresholdedRelu = defineOp({
  name: 'ThresholdedRelu',
  summary: '`x` above alpha, else 0.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = x[i]! > alpha ? x[i]! : 0;
    }),
  }),
  layout: elementwise,
  rounding: exact,
  jumps: () => true,
  examples: [
    unaryExample(
      [
        [-2, 0],
        [2, 0],
        [2.5, 2.5],
      ],
      { alpha: 2 },
    ),
  ],
  decompose: ({ x }, { alpha }, graph) => {
    const { y: isAbove } = graph.add(greater, { a: x, b: scalar(graph, x.dtype, alpha) }, {});
    return graph.add(where, { condition: isAbove, x, y: scalar(graph, x.dtype, 0) }, {});
  },
});
