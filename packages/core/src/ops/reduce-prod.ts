import { mulDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { products } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { ofElement } from './rounding.js';

/** The product of the elements of each group; integers wrap. */
export const reduceProd = reduction({
  name: 'ReduceProd',
  summary: 'The product of the elements along `axes`; 1 for none.',
  dtypes: numberTypes,
  f: (x, first, members) => {
    let product = 1;
    for (let i = 0; i < members.length; i++) product *= x[first + members[i]!]!;
    return product;
  },
  g: (group) => group.reduce((a, b) => a * b, 1n),
  known: (group) => group.reduce(mulDim, 1),
  range: products,
  rounding: (size) => ofElement(Math.sqrt(size)),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axes: [0], keepdims: false },
      outputs: { y: tensor('float32', [3], [4, 10, 18]) },
    },
    {
      inputs: { x: tensor('int32', [2], [65537, 65537]) },
      attrs: { axes: [0], keepdims: true },
      outputs: { y: tensor('int32', [1], [131073]) },
    },
  ],
});
