import { erf as errorFunction } from '../numeric/error-function.js';
import { unary } from './families/unary.js';
import { ofOne } from './rounding.js';

/** Error function. The value at 1 is DLMF table 7.23. */
export const erf = unary({
  name: 'Erf',
  summary: 'Error function of `x`.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = errorFunction(x[i]!);
  },
  rounding: ofOne(3),
  examples: [
    [0, 0],
    [1, 0.8427007929497149],
    [-1, -0.8427007929497149],
    [Infinity, 1],
  ],
});
