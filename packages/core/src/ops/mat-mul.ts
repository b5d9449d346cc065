import { mayEqual } from '../constraints/same-type.js';
import { matrixProduct } from '../numeric/multiply.js';
import { productSquares } from '../numeric/term-squares.js';
import type { Shape } from '../tensor/dim.js';
import { floatTypes, isInt } from '../tensor/dtype.js';
import { corners, sizeInterval, sums } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { ofTerms } from './rounding.js';

const types = [...floatTypes, 'int64', 'int32', 'uint64', 'uint32'] as const;

/** The operands as matrices: a vector on the left is one row, on the right one column. */
function matrices<S extends Shape>(
  a: S,
  b: S,
): readonly [S | readonly [1, ...S], S | readonly [...S, 1]] {
  return [a.length === 1 ? [1, ...a] : a, b.length === 1 ? [...b, 1] : b];
}

/** The shape of the result, for a batch shape that broadcasting gave. */
function resultShape<S extends Shape>(a: S, b: S, batch: S): S[number][] {
  return [...batch, ...(a.length > 1 ? [a.at(-2)!] : []), ...(b.length > 1 ? [b.at(-1)!] : [])];
}

function batchShape({ shape: a }: ValueType, { shape: b }: ValueType): Shape | undefined {
  return a && b && broadcastShapes(a.slice(0, -2), b.slice(0, -2));
}

/** Matrix product as NumPy has it. */
export const matMul = defineOp({
  name: 'MatMul',
  summary:
    'The matrix product of the last two dimensions of `a` and `b`; the dimensions before broadcast. A vector is a row on the left and a column on the right, and has no dimension in the result.',
  inputs: { a: one(...types), b: one(...types) },
  outputs: { y: one(...types) },
  attrs: {},
  constraints: {
    C1: { says: 'a and b have one element type', holds: ({ a, b }) => a.dtype === b.dtype },
    C2: {
      says: 'a and b have at least one dimension',
      holds: ({ a, b }) => a.shape?.length !== 0 && b.shape?.length !== 0,
    },
    C3: {
      says: 'the last dimension of a is the last but one of b, or the only one',
      holds: ({ a, b }) =>
        !a.shape ||
        !b.shape ||
        mayEqual(a.shape.at(-1)!, b.shape.at(b.shape.length === 1 ? -1 : -2)!),
    },
    C4: {
      says: 'the dimensions before broadcast',
      holds: ({ a, b }) => !a.shape || !b.shape || batchShape(a, b) !== undefined,
    },
  },
  infer: ({ a, b }) => {
    const batch = batchShape(a, b);
    return { y: { dtype: a.dtype, shape: batch && resultShape(a.shape!, b.shape!, batch) } };
  },
  range: ({ a, b }, _, types) => {
    const products = corners(a, b, (x, y) => x * y);
    return {
      y:
        products && isInt(types.a.dtype)
          ? sums(products, sizeInterval(types.a.shape?.at(-1)))
          : undefined,
    };
  },
  evaluate: ({ a, b }) => {
    const [left, right] = matrices(a.shape, b.shape);
    const product = matrixProduct({ ...a, shape: left }, { ...b, shape: right });
    return { y: { ...product, shape: resultShape(a.shape, b.shape, product.shape.slice(0, -2)) } };
  },
  layout: fixed('it multiplies the matrices of the last two dimensions'),
  rounding: ({ a }) => ofTerms(Math.sqrt(a.at(-1)!) / 2 + 1),
  termSquares: ({ a, b }) => {
    const [left, right] = matrices(a.shape, b.shape);
    return productSquares({ ...a, shape: left }, { ...b, shape: right });
  },
  examples: [
    {
      inputs: {
        a: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]),
        b: tensor('float32', [3, 2], [1, 0, 0, 1, 1, 1]),
      },
      attrs: {},
      outputs: { y: tensor('float32', [2, 2], [4, 5, 10, 11]) },
    },
    {
      inputs: { a: tensor('int64', [2, 1, 2], [1, 2, 3, 4]), b: tensor('int64', [2], [10, 1]) },
      attrs: {},
      outputs: { y: tensor('int64', [2, 1], [12, 34]) },
    },
    {
      inputs: { a: tensor('float64', [2, 1, 1], [1, 2]), b: tensor('float64', [2, 1, 1], [3, 4]) },
      attrs: {},
      outputs: { y: tensor('float64', [2, 1, 1], [3, 8]) },
    },
    {
      inputs: {
        a: tensor('float64', [2], [1, 2]),
        b: tensor('float64', [3, 2, 1], [1, 2, 3, 4, 5, 6]),
      },
      attrs: {},
      outputs: { y: tensor('float64', [3, 1], [5, 11, 17]) },
    },
    {
      inputs: { a: tensor('int32', [2], [65536, 1]), b: tensor('int32', [2], [65536, 7]) },
      attrs: {},
      outputs: { y: tensor('int32', [], [7]) },
    },
  ],
});
