import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { numberTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { reduction } from './families/reduction.js';
import { ofTerms } from './rounding.js';

/** The mean of the elements of each group; of integers it is truncated towards zero. */
export const reduceMean = reduction({
  name: 'ReduceMean',
  summary:
    'The mean of the elements along `axes`; NaN for none. The mean of integers is truncated towards zero.',
  dtypes: numberTypes,
  f: (x, first, members) => {
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += x[first + members[i]!]!;
    return sum / members.length;
  },
  g: (group) => {
    if (group.length === 0)
      throw coreDiagnostics.error('not-evaluable', {
        message: 'No integer is the mean of no elements.',
        origin: { file: '' },
      });
    return group.reduce((a, b) => a + b, 0n) / BigInt(group.length);
  },
  range: (x) => x,
  rounding: (size) => ofTerms(Math.sqrt(size) / 2 + 1),
  termSquares: (square, size) => square / Math.max(size, 1),
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, 2, 3, 6]) },
      attrs: { axes: [0], keepdims: false },
      outputs: { y: tensor('float32', [2], [2, 4]) },
    },
    {
      inputs: { x: tensor('int32', [2], [-3, -4]) },
      attrs: { axes: [0], keepdims: true },
      outputs: { y: tensor('int32', [1], [-3]) },
    },
  ],
});
