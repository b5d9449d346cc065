import { numberTypes } from '../tensor/dtype.js';
import { powers, sums } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { mul } from './mul.js';
import { reduceSum } from './reduce-sum.js';
import { ofElement } from './rounding.js';

/** The sum of the squares of each group. */
export const reduceSumSquare = reduction({
  name: 'ReduceSumSquare',
  summary: 'The sum of the squares of the elements along `axes`.',
  dtypes: numberTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += x[first + members[i]!]! ** 2;
    return sum;
  },
  g: (group) => group.reduce((a, b) => a + b * b, 0n),
  range: (x, count) => sums(powers(x, [2n, 2n])!, count),
  rounding: (size) => ofElement(Math.sqrt(size) + 1),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, -2, -3, 0]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('float32', [2], [5, 9]) },
    },
    {
      inputs: { x: tensor('int8', [2], [-10, 11]) },
      attrs: { axes: [0], keepdims: true },
      outputs: { y: tensor('int8', [1], [-35]) },
    },
  ],
  decompose: (x, attrs, graph) =>
    graph.add(reduceSum, { x: graph.add(mul, { a: x, b: x }, {}).y }, attrs).y,
});
