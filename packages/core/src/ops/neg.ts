import { mapNumber } from '../numeric/map.js';
import { mulDim } from '../tensor/dim.js';
import { floatTypes, signedIntTypes } from '../tensor/dtype.js';
import { ends } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { mapElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** -x; integers wrap. */
export const neg = defineOp({
  name: 'Neg',
  summary: '-x.',
  inputs: { x: one(...floatTypes, ...signedIntTypes) },
  outputs: { y: one(...floatTypes, ...signedIntTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({
    y: { dtype: x.dtype, shape: x.shape, elements: mapElements(x, x.dtype, (e) => mulDim(e, -1)) },
  }),
  range: ({ x }) => ({ y: ends(x, (v) => -v) }),
  evaluate: ({ x }) => ({
    y: mapNumber(
      x,
      (y, x) => {
        for (let i = 0; i < y.length; i++) y[i] = -x[i]!;
      },
      (x) => -x,
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    unaryExample([
      [1.5, -1.5],
      [-2, 2],
    ]),
    {
      inputs: { x: tensor('int64', [2], [5, -7]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [-5, 7]) },
    },
    {
      inputs: { x: tensor('int8', [2], [-128, 0]) },
      attrs: {},
      outputs: { y: tensor('int8', [2], [-128, 0]) },
    },
  ],
});
