import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary, type BinaryLoop } from '../numeric/binary.js';
import { nonZero } from '../numeric/integer-division.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { bounds, floorDivDim, type Dim } from '../tensor/dim.js';
import { isInt, numberTypes } from '../tensor/dtype.js';
import { quotients } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/**
 * The quotient where truncation is floor division: of what cannot be negative by what is positive.
 */
function truncatedQuotient(a: Dim, b: Dim): Dim | undefined {
  if (typeof a === 'number' && typeof b === 'number')
    return b === 0 ? undefined : Math.trunc(a / b) + 0;
  return bounds(a)[0] >= 0 && bounds(b)[0] > 0 ? floorDivDim(a, b) : undefined;
}

/**
 * Quotient with broadcasting. Integers truncate towards zero, and division by zero is
 * `core/not-evaluable`.
 */
export const div = defineOp({
  name: 'Div',
  summary: 'Quotient a / b with broadcasting; integers truncate towards zero.',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({
    y: {
      ...broadcastType(a.dtype, a, b),
      elements: broadcastElements(a.dtype, a, b, truncatedQuotient),
    },
  }),
  range: ({ a, b }, _, types) => {
    if (!a || !b) return { y: undefined };
    if (isInt(types.a.dtype)) return { y: quotients(a, b) };
    // A quotient of floats lies next to the truncated one.
    const whole = b[0] > 0n || b[1] < 0n ? quotients(a, b) : undefined;
    return { y: whole && [whole[0] - 1n, whole[1] + 1n] };
  },
  evaluate: ({ a, b }) => {
    const divide: BinaryLoop = isInt(a.dtype)
      ? (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = Math.trunc(a[i]! / nonZero(b[i]!));
        }
      : (y, a, b) => {
          for (let i = 0; i < y.length; i++) y[i] = a[i]! / b[i]!;
        };
    return { y: wrapInteger(evaluateBinary(a, b, a.dtype, divide, (x, y) => x / nonZero(y))) };
  },
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: { a: tensor('float32', [3], [1, -3, 0]), b: tensor('float32', [], [2]) },
      attrs: {},
      outputs: { y: tensor('float32', [3], [0.5, -1.5, 0]) },
    },
    {
      inputs: { a: tensor('int32', [4], [7, -7, 7, -7]), b: tensor('int32', [4], [2, 2, -2, -2]) },
      attrs: {},
      outputs: { y: tensor('int32', [4], [3, -3, -3, 3]) },
    },
    {
      inputs: { a: tensor('int64', [2], [-7, 7]), b: tensor('int64', [], [2]) },
      attrs: {},
      outputs: { y: tensor('int64', [2], [-3, 3]) },
    },
    {
      inputs: { a: tensor('int8', [1], [-128]), b: tensor('int8', [1], [-1]) },
      attrs: {},
      outputs: { y: tensor('int8', [1], [-128]) },
    },
  ],
});
