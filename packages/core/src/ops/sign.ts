import { mapNumber } from '../numeric/map.js';
import { numberTypes } from '../tensor/dtype.js';
import { ends } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { defineOp, one } from './define-op.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** -1, 0 or 1. */
export const sign = defineOp({
  name: 'Sign',
  summary: '-1 below 0, 0 at 0, 1 above 0.',
  inputs: { x: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x }) => ({ y: ends(x, (v) => (v > 0n ? 1n : v < 0n ? -1n : 0n)) ?? [-1n, 1n] }),
  evaluate: ({ x }) => ({
    y: mapNumber(
      x,
      (y, x) => {
        for (let i = 0; i < y.length; i++) y[i] = Math.sign(x[i]!);
      },
      (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
    ),
  }),
  layout: elementwise,
  rounding: exact,
  jumps: () => true,
  examples: [
    unaryExample([
      [-2.5, -1],
      [0, 0],
      [0.1, 1],
    ]),
    {
      inputs: { x: tensor('int64', [3], [-9, 0, 9]) },
      attrs: {},
      outputs: { y: tensor('int64', [3], [-1, 0, 1]) },
    },
  ],
});
