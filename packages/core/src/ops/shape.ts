import { dtypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { hull, sizeInterval } from '../tensor/interval.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/** The sizes of a tensor's dimensions as data. */
export const shape = defineOp({
  name: 'Shape',
  summary: 'The sizes of the dimensions of `x`.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one('int64') },
  attrs: {},
  constraints: {},
  infer: ({ x }, _, { fresh }) => ({
    y: { dtype: 'int64', shape: [x.shape ? x.shape.length : fresh('rank')], elements: x.shape },
  }),
  range: (_, __, { x }) => ({ y: hull(...(x.shape ?? [undefined]).map(sizeInterval)) ?? [0n, 0n] }),
  evaluate: ({ x }) => ({ y: tensor('int64', [x.shape.length], x.shape) }),
  layout: fixed('it lists the sizes in the order of dimensions'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [1, 3], [0, 0, 0]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [1, 3]) },
    },
    {
      inputs: { x: tensor('float32', [], [5]) },
      attrs: {},
      outputs: { y: tensor('int64', [0], []) },
    },
  ],
});
