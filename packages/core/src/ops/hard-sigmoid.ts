import { scalar } from '../building/scalar.js';
import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { add } from './add.js';
import { float } from './attr.js';
import { clip } from './clip.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { mul } from './mul.js';
import { ofOne } from './rounding.js';

/** A line cut off at 0 and 1. */
export const hardSigmoid = defineOp({
  name: 'HardSigmoid',
  summary: 'max(0, min(1, alpha x + beta)).',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float(), beta: float() },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha, beta }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++) y[i] = Math.max(0, Math.min(1, alpha * x[i]! + beta));
    }),
  }),
  layout: elementwise,
  rounding: () => ofOne(4),
  examples: [
    unaryExample(
      [
        [-3, 0],
        [0, 0.5],
        [1, 0.75],
        [4, 1],
      ],
      { alpha: 0.25, beta: 0.5 },
    ),
  ],
  decompose: ({ x }, { alpha, beta }, graph) => {
    const { y: scaled } = graph.add(mul, { a: x, b: scalar(graph, x.dtype, alpha) }, {});
    const { y: line } = graph.add(add, { a: scaled, b: scalar(graph, x.dtype, beta) }, {});
    return graph.add(clip, { x: line }, { min: 0, max: 1 });
  },
});
