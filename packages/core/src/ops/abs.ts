import { mapNumber } from '../numeric/map.js';
import { maxDim, mulDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { magnitude } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { mapElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Magnitude; that of the smallest integer of a type wraps to itself. */
export const abs = defineOp({
  name: 'Abs',
  summary: 'Magnitude of `x`.',
  inputs: { x: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({
    y: {
      dtype: x.dtype,
      shape: x.shape,
      elements: mapElements(x, x.dtype, (e) => maxDim(e, mulDim(e, -1))),
    },
  }),
  range: ({ x }) => ({ y: x && magnitude(x) }),
  evaluate: ({ x }) => ({
    y: mapNumber(
      x,
      (y, x) => {
        for (let i = 0; i < y.length; i++) y[i] = Math.abs(x[i]!);
      },
      (x) => (x < 0n ? -x : x),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    unaryExample([
      [-1.5, 1.5],
      [2, 2],
      [-Infinity, Infinity],
    ]),
    {
      inputs: { x: tensor('int8', [3], [-5, -128, 7]) },
      attrs: {},
      outputs: { y: tensor('int8', [3], [5, -128, 7]) },
    },
    {
      inputs: { x: tensor('int64', [2], [-3, 3]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [3, 3]) },
    },
  ],
});
