import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary, type BinaryLoop } from '../numeric/binary.js';
import { wrapInteger } from '../numeric/wrap-integer.js';
import { unsignedIntTypes } from '../tensor/dtype.js';
import { corners, least } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastType } from '../typing/broadcast.js';
import { oneOf } from './attr.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Bits moved left or right with broadcasting; those that leave the type are lost. */
export const bitShift = defineOp({
  name: 'BitShift',
  summary: 'Bits of `a` moved left or right by `b` places, with broadcasting; zeros follow.',
  inputs: { a: one(...unsignedIntTypes), b: one(...unsignedIntTypes) },
  outputs: { y: one(...unsignedIntTypes) },
  attrs: { direction: oneOf('left', 'right') },
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({ y: broadcastType(a.dtype, a, b) }),
  range: ({ a, b }, { direction }) => ({
    // Places beyond 64 lose what places up to there keep: all of it to the right, and what does not
    // fit to the left.
    y: corners(a, b && [b[0], least(b[1], 64n)], (x, y) =>
      direction === 'left' ? x << least(y, 64n) : x >> y,
    ),
  }),
  evaluate: ({ a, b }, { direction }) => {
    const isLeft = direction === 'left';
    const small: BinaryLoop = (y, a, b) => {
      for (let i = 0; i < y.length; i++)
        y[i] = b[i]! >= 32 ? 0 : isLeft ? a[i]! * 2 ** b[i]! : Math.floor(a[i]! / 2 ** b[i]!);
    };
    // The bound keeps a hostile distance from asking for a giant integer.
    const big = (x: bigint, y: bigint) => (y >= 64n ? 0n : isLeft ? x << y : x >> y);
    return { y: wrapInteger(evaluateBinary(a, b, a.dtype, small, big)) };
  },
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { a: tensor('uint8', [3], [16, 4, 1]), b: tensor('uint8', [3], [1, 2, 9]) },
      attrs: { direction: 'left' },
      outputs: { y: tensor('uint8', [3], [32, 16, 0]) },
    },
    {
      inputs: { a: tensor('uint64', [3], [16, 4, 1]), b: tensor('uint64', [3], [1, 2, 3]) },
      attrs: { direction: 'right' },
      outputs: { y: tensor('uint64', [3], [8, 1, 0]) },
    },
    {
      inputs: { a: tensor('uint32', [1], [4294967295]), b: tensor('uint32', [1], [31]) },
      attrs: { direction: 'left' },
      outputs: { y: tensor('uint32', [1], [2147483648]) },
    },
  ],
});
