import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { mul } from './mul.js';
import { reduceSum } from './reduce-sum.js';
import { ofElement } from './rounding.js';
import { sqrt } from './sqrt.js';

/** The root of the sum of the squares of each group. */
export const reduceL2 = reduction({
  name: 'ReduceL2',
  summary: 'The square root of the sum of the squares of the elements along `axes`.',
  dtypes: floatTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += x[first + members[i]!]! ** 2;
    return Math.sqrt(sum);
  },
  rounding: (size) => ofElement(Math.sqrt(size) / 4 + 2),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [3, -4, 0, 5]) },
      attrs: { axes: [1], keepdims: true },
      outputs: { y: tensor('float32', [2, 1], [5, 5]) },
    },
  ],
  decompose: (x, attrs, graph) => {
    const squares = graph.add(mul, { a: x, b: x }, {}).y;
    return graph.add(sqrt, { x: graph.add(reduceSum, { x: squares }, attrs).y }, {}).y;
  },
});
