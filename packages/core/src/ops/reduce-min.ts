import { minDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { exact } from './rounding.js';

/** The smallest element of each group; NaN wins. For bool whether all are true. */
export const reduceMin = reduction({
  name: 'ReduceMin',
  summary:
    'The smallest of the elements along `axes`, NaN if there is one; for bool whether all are true. Of none the highest value of the type.',
  dtypes: [...numberTypes, 'bool'],
  f: (x, first, members) => {
    let smallest = Infinity;
    for (let i = 0; i < members.length; i++) {
      const value = x[first + members[i]!]!;
      if (value < smallest || Number.isNaN(value)) smallest = value;
    }
    return smallest;
  },
  g: (group, _, highest) => group.reduce((a, b) => (b < a ? b : a), highest),
  known: (group) => (group.length > 0 ? group.reduce(minDim) : undefined),
  // Of none the highest value of the type, which is not known here.
  range: (x, [fewest]) => (fewest > 0n ? x : undefined),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 3, 2, -4, 0, -6]) },
      attrs: { axes: [0, 1], keepdims: true },
      outputs: { y: tensor('float32', [1, 1], [-6]) },
    },
    {
      inputs: { x: tensor('bool', [2, 2], [false, true, true, true]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('bool', [2], [false, true]) },
    },
    {
      inputs: { x: tensor('uint64', [0], []) },
      attrs: { axes: [0], keepdims: false },
      outputs: { y: tensor('uint64', [], [2n ** 64n - 1n]) },
    },
  ],
});
