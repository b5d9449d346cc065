import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary, type BinaryLoop } from '../numeric/binary.js';
import { integerPower, power } from '../numeric/power.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { isInt, numberTypes } from '../tensor/dtype.js';
import { powers } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

const floatPowers: BinaryLoop = (y, a, b) => {
  for (let i = 0; i < y.length; i++) y[i] = power(a[i]!, b[i]!);
};

/**
 * Power with broadcasting. Integers wrap; 0 to a negative integer power is `core/not-evaluable`.
 */
export const pow = defineOp({
  name: 'Pow',
  summary:
    '`a` to the power of `b` with broadcasting; a negative integer power of an integer truncates towards zero.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({ y: broadcastType(a.dtype, a, b) }),
  range: ({ a, b }, _, types) => ({ y: a && b && isInt(types.a.dtype) ? powers(a, b) : undefined }),
  evaluate: ({ a, b }) => {
    if (!isInt(a.dtype)) return { y: evaluateBinary(a, b, a.dtype, floatPowers, () => 0n) };
    const small: BinaryLoop = (y, a, b) => {
      for (let i = 0; i < y.length; i++)
        y[i] = Number(BigInt.asIntN(53, integerPower(BigInt(a[i]!), BigInt(b[i]!))));
    };
    return { y: wrapInteger(evaluateBinary(a, b, a.dtype, small, integerPower)) };
  },
  layout: elementwise,
  rounding: () => ofElement(4),
  examples: [
    {
      inputs: { a: tensor('float64', [3], [2, 9, -2]), b: tensor('float64', [3], [3, 0.5, -1]) },
      attrs: {},
      outputs: { y: tensor('float64', [3], [8, 3, -0.5]) },
    },
    {
      inputs: { a: tensor('int32', [4], [3, 2, -1, 2]), b: tensor('int32', [4], [4, 31, -3, -1]) },
      attrs: {},
      outputs: { y: tensor('int32', [4], [81, -2147483648, -1, 0]) },
    },
    {
      inputs: { a: tensor('int64', [1], [7]), b: tensor('int64', [], [2]) },
      attrs: {},
      outputs: { y: tensor('int64', [1], [49]) },
    },
    {
      inputs: {
        a: tensor('float64', [3], [1, -1, NaN]),
        b: tensor('float64', [3], [NaN, Infinity, 0]),
      },
      attrs: {},
      outputs: { y: tensor('float64', [3], [1, 1, 1]) },
    },
  ],
});
