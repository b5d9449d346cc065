import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary, type BinaryLoop } from '../numeric/binary.js';
import { nonZero } from '../numeric/integer-division.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { bounds, modDim, type Dim } from '../tensor/dim.js';
import { isInt, numberTypes } from '../tensor/dtype.js';
import { remainders } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastElements, broadcastType } from '../typing/broadcast.js';
import { oneOf } from './attr.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { ofElement } from './rounding.js';

/** The remainder where both conventions agree with the floored one, or of numbers. */
function remainder(a: Dim, b: Dim, sign: 'divisor' | 'dividend'): Dim | undefined {
  if (b === 0) return undefined;
  if (typeof a === 'number' && typeof b === 'number' && sign === 'dividend') return (a % b) + 0;
  return sign === 'divisor' || (bounds(a)[0] >= 0 && bounds(b)[0] > 0) ? modDim(a, b) : undefined;
}

/** Remainder with broadcasting. Of integers, division by zero is `core/not-evaluable`. */
export const mod = defineOp({
  name: 'Mod',
  summary:
    'Remainder of a / b with broadcasting, with the sign of the divisor (floored division) or of the dividend (truncated division).',
  inputs: { a: one(...numberTypes), b: one(...numberTypes) },
  outputs: { y: one(...numberTypes) },
  attrs: { sign: oneOf('divisor', 'dividend') },
  constraints: sameTypeBroadcast,
  infer: ({ a, b }, { sign }) => ({
    y: {
      ...broadcastType(a.dtype, a, b),
      elements: broadcastElements(a.dtype, a, b, (x, y) => remainder(x, y, sign)),
    },
  }),
  range: ({ a, b }, { sign }, types) => ({
    y: a && b && isInt(types.a.dtype) ? remainders(a, b, sign) : undefined,
  }),
  evaluate: ({ a, b }, { sign }) => {
    const divisor = isInt(a.dtype) ? nonZero<number> : (y: number) => y;
    const truncated: BinaryLoop = (y, a, b) => {
      for (let i = 0; i < y.length; i++) y[i] = a[i]! % divisor(b[i]!);
    };
    const floored: BinaryLoop = (y, a, b) => {
      for (let i = 0; i < y.length; i++) {
        const rest = a[i]! % divisor(b[i]!);
        y[i] = rest !== 0 && rest < 0 !== b[i]! < 0 ? rest + b[i]! : rest;
      }
    };
    const flooredBig = (x: bigint, y: bigint) => {
      const rest = x % nonZero(y);
      return rest !== 0n && rest < 0n !== y < 0n ? rest + y : rest;
    };
    const isFloored = sign === 'divisor';
    return {
      y: wrapInteger(
        evaluateBinary(
          a,
          b,
          a.dtype,
          isFloored ? floored : truncated,
          isFloored ? flooredBig : (x, y) => x % nonZero(y),
        ),
      ),
    };
  },
  layout: elementwise,
  rounding: () => ofElement(1),
  jumps: () => true,
  examples: [
    {
      inputs: { a: tensor('int32', [4], [7, -7, 7, -7]), b: tensor('int32', [4], [3, 3, -3, -3]) },
      attrs: { sign: 'divisor' },
      outputs: { y: tensor('int32', [4], [1, 2, -2, -1]) },
    },
    {
      inputs: { a: tensor('int64', [4], [7, -7, 7, -7]), b: tensor('int64', [4], [3, 3, -3, -3]) },
      attrs: { sign: 'dividend' },
      outputs: { y: tensor('int64', [4], [1, -1, 1, -1]) },
    },
    {
      inputs: { a: tensor('float32', [2], [5.5, -5.5]), b: tensor('float32', [], [2]) },
      attrs: { sign: 'divisor' },
      outputs: { y: tensor('float32', [2], [1.5, 0.5]) },
    },
  ],
});
