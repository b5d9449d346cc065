import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { log } from './log.js';
import { reduceSum } from './reduce-sum.js';
import { ofOne } from './rounding.js';

/** The logarithm of the sum of each group. */
export const reduceLogSum = reduction({
  name: 'ReduceLogSum',
  summary: 'The natural logarithm of the sum of the elements along `axes`.',
  dtypes: floatTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += x[first + members[i]!]!;
    return Math.log(sum);
  },
  rounding: (size) => ofOne(Math.sqrt(size) + 3),
  examples: [
    {
      inputs: { x: tensor('float64', [2, 2], [0.25, 0.75, 1, 1]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('float64', [2], [0, Math.LN2]) },
    },
  ],
  decompose: (x, attrs, graph) => graph.add(log, { x: graph.add(reduceSum, { x }, attrs).y }, {}).y,
});
