import { pickElements } from '../numeric/copy.js';
import { complexTypes, numberTypes } from '../tensor/dtype.js';
import { hull } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { bool, int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/** The upper or lower triangle of each matrix. */
export const trilu = defineOp({
  name: 'Trilu',
  summary:
    'The matrices of the last two dimensions of `x` with zeros below (`upper`) or above (not `upper`) the diagonal `k`, counted upwards from the main one.',
  inputs: { x: one(...numberTypes, 'bool', ...complexTypes) },
  outputs: { y: one(...numberTypes, 'bool', ...complexTypes) },
  attrs: { upper: bool(), k: int() },
  constraints: {
    C1: {
      says: 'x has at least two dimensions',
      holds: ({ x }) => !x.shape || x.shape.length >= 2,
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x }) => ({ y: hull(x, [0n, 0n]) }),
  evaluate: ({ x }, { upper, k }) => {
    const [rows, columns] = x.shape.slice(-2) as [number, number];
    const isKept = (at: number) => {
      const diagonal = (at % columns) - (Math.floor(at / columns) % rows);
      return upper ? diagonal >= k : diagonal <= k;
    };
    return { y: pickElements(x, x.shape, (at) => (isKept(at) ? at : -1)) };
  },
  layout: fixed('it cuts the matrices of the last two dimensions'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { upper: true, k: 1 },
      outputs: { y: tensor('float32', [2, 3], [0, 2, 3, 0, 0, 6]) },
    },
    {
      inputs: { x: tensor('int64', [2, 2], [1, 2, 3, 4]) },
      attrs: { upper: false, k: 0 },
      outputs: { y: tensor('int64', [2, 2], [1, 0, 3, 4]) },
    },
  ],
});
