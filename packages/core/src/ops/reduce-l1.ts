import { numberTypes } from '../tensor/dtype.js';
import { magnitude, sums } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { abs } from './abs.js';
import { reduction } from './families/reduction.js';
import { reduceSum } from './reduce-sum.js';
import { ofElement } from './rounding.js';

/** The sum of the absolute values of each group. */
export const reduceL1 = reduction({
  name: 'ReduceL1',
  summary: 'The sum of the absolute values of the elements along `axes`.',
  dtypes: numberTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += Math.abs(x[first + members[i]!]!);
    return sum;
  },
  g: (group) => group.reduce((a, b) => a + (b < 0n ? -b : b), 0n),
  range: (x, count) => sums(magnitude(x), count),
  rounding: (size) => ofElement(Math.sqrt(size)),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, -2, -3, 0]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('float32', [2], [3, 3]) },
    },
    {
      inputs: { x: tensor('int64', [2], [-5, 4]) },
      attrs: { axes: [0], keepdims: true },
      outputs: { y: tensor('int64', [1], [9]) },
    },
  ],
  decompose: (x, attrs, graph) => graph.add(reduceSum, { x: graph.add(abs, { x }, {}).y }, attrs).y,
});
