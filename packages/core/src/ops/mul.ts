import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary, type BinaryLoop } from '../numeric/binary.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { mulDim } from '../tensor/dim.js';
import { isInt, numberTypes } from '../tensor/dtype.js';
import { corners } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/** Product with broadcasting; integers wrap. */
export const mul = defineOp({
  name: 'Mul',
  summary: 'Product of `a` and `b` with broadcasting.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: { ...broadcastType(a.dtype, a, b), elements: broadcastElements(a.dtype, a, b, mulDim) },
  }),
  range: ({ a, b }) => ({ y: corners(a, b, (x, y) => x * y) }),
  evaluate: ({ a, b }) => {
    // A product of two 32-bit integers does not fit float64; its low 32 bits are exact by
    // Math.imul.
    const multiply: BinaryLoop = isInt(a.dtype)
      ? (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = Math.imul(a[i]!, b[i]!);
        }
      : (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = a[i]! * b[i]!;
        };
    return { y: wrapInteger(evaluateBinary(a, b, a.dtype, multiply, (x, y) => x * y)) };
  },
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: { a: tensor('float32', [2, 1], [1, 2]), b: tensor('float32', [3], [10, 20, 30]) },
      attrs: {},
      outputs: { y: tensor('float32', [2, 3], [10, 20, 30, 20, 40, 60]) },
    },
    {
      inputs: { a: tensor('int32', [1], [2147483647]), b: tensor('int32', [1], [2147483647]) },
      attrs: {},
      outputs: { y: tensor('int32', [1], [1]) },
    },
    {
      inputs: { a: tensor('uint32', [1], [4294967295]), b: tensor('uint32', [1], [3]) },
      attrs: {},
      outputs: { y: tensor('uint32', [1], [4294967293]) },
    },
    {
      inputs: { a: tensor('int64', [2], [3, -4]), b: tensor('int64', [], [5]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [15, -20]) },
    },
  ],
});
