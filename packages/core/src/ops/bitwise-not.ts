import { mapNumber } from '../numeric/map.js';
import { intTypes, intRange } from '../tensor/dtype.js';
import { ends } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Every bit turned. */
export const bitwiseNot = defineOp({
  name: 'BitwiseNot',
  summary: 'Every bit of `x` turned.',
  inputs: { x: one(...intTypes) },
  outputs: { y: one(...intTypes) },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x }, _, types) => ({
    y: ends(x, (v) => (types.x.dtype.startsWith('u') ? intRange(types.x.dtype)![1] : -1n) - v),
  }),
  evaluate: ({ x }) => ({
    y: mapNumber(
      x,
      (y, x) => {
        for (let i = 0; i < y.length; i++) y[i] = -x[i]! - 1;
      },
      (x) => -x - 1n,
    ),
  }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('uint8', [3], [0, 1, 255]) },
      attrs: {},
      outputs: { y: tensor('uint8', [3], [255, 254, 0]) },
    },
    {
      inputs: { x: tensor('int32', [3], [0, -1, 6]) },
      attrs: {},
      outputs: { y: tensor('int32', [3], [-1, 0, -7]) },
    },
    {
      inputs: { x: tensor('uint64', [1], [0n]) },
      attrs: {},
      outputs: { y: tensor('uint64', [1], [18446744073709551615n]) },
    },
  ],
});
