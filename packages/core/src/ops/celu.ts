import { scalar } from '../building/scalar.js';
import { mapFloat } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { div } from './div.js';
import { elu } from './elu.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { less } from './less.js';
import { mul } from './mul.js';
import { ofOne } from './rounding.js';
import { where } from './where.js';

/** x, and alpha (e^(x/alpha) - 1) below 0 (Barron 2017). */
export const celu = defineOp({
  name: 'Celu',
  summary: '`x` from 0 on, alpha (e^(x/alpha) - 1) below.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { alpha: float() },
  constraints: { C1: { says: 'alpha > 0', holds: (_, { alpha }) => alpha > 0 } },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { alpha }) => ({
    y: mapFloat(x, (y, x) => {
      for (let i = 0; i < y.length; i++)
        y[i] = x[i]! < 0 ? alpha * Math.expm1(x[i]! / alpha) : x[i]!;
    }),
  }),
  layout: elementwise,
  rounding: () => ofOne(2),
  examples: [
    unaryExample(
      [
        [-2 * Math.log(2), -1],
        [0, 0],
        [3, 3],
      ],
      { alpha: 2 },
    ),
  ],
  decompose: ({ x }, { alpha }, graph) => {
    const scale = scalar(graph, x.dtype, alpha);
    const { y: quotient } = graph.add(div, { a: x, b: scale }, {});
    const { y: negative } = graph.add(
      mul,
      { a: graph.add(elu, { x: quotient }, { alpha: 1 }).y, b: scale },
      {},
    );
    const { y: isNegative } = graph.add(less, { a: x, b: scalar(graph, x.dtype, 0) }, {});
    return graph.add(where, { condition: isNegative, x: negative, y: x }, {});
  },
});
