import { maxDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { exact } from './rounding.js';

/** The largest element of each group; NaN wins. For bool whether any is true. */
export const reduceMax = reduction({
  name: 'ReduceMax',
  summary:
    'The largest of the elements along `axes`, NaN if there is one; for bool whether any is true. Of none the lowest value of the type.',
  dtypes: [...numberTypes, 'bool'],
  f: (x, first, members) => {
    let largest = -Infinity;
    for (let i = 0; i < members.length; i++) {
      const value = x[first + members[i]!]!;
      if (value > largest || Number.isNaN(value)) largest = value;
    }
    return largest;
  },
  g: (group, lowest) => group.reduce((a, b) => (b > a ? b : a), lowest),
  known: (group) => (group.length > 0 ? group.reduce(maxDim) : undefined),
  // Of none the lowest value of the type, which is not known here.
  range: (x, [fewest]) => (fewest > 0n ? x : undefined),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 3, 2, -4, NaN, -6]) },
      attrs: { axes: [1], keepdims: true },
      outputs: { y: tensor('float32', [2, 1], [3, NaN]) },
    },
    {
      inputs: { x: tensor('bool', [2, 2], [false, true, false, false]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('bool', [2], [true, false]) },
    },
    {
      inputs: { x: tensor('int8', [0], []) },
      attrs: { axes: [0], keepdims: false },
      outputs: { y: tensor('int8', [], [-128]) },
    },
  ],
});
