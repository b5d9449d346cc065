import { addDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { sums } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { ofTerms } from './rounding.js';

/** The sum of the elements of each group; integers wrap. */
export const reduceSum = reduction({
  name: 'ReduceSum',
  summary: 'The sum of the elements along `axes`; 0 for none.',
  dtypes: numberTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += x[first + members[i]!]!;
    return sum;
  },
  g: (group) => group.reduce((a, b) => a + b, 0n),
  known: (group) => group.reduce(addDim, 0),
  range: sums,
  rounding: (size) => ofTerms(size > 1 ? Math.sqrt(size) / 2 + 1 : 0),
  termSquares: (square, size) => square * size,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { axes: [1], keepdims: true },
      outputs: { y: tensor('float32', [2, 1], [6, 15]) },
    },
    {
      inputs: { x: tensor('uint8', [2, 1], [200, 100]) },
      attrs: { axes: [1, 0], keepdims: false },
      outputs: { y: tensor('uint8', [], [44]) },
    },
    {
      inputs: { x: tensor('int64', [2], [3, 4]) },
      attrs: { axes: [], keepdims: false },
      outputs: { y: tensor('int64', [2], [3, 4]) },
    },
    {
      inputs: { x: tensor('float32', [2, 0], []) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('float32', [2], [0, 0]) },
    },
  ],
});
