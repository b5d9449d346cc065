import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { dtypes } from '../tensor/dtype.js';
import { exactQuotient, floorDivDim, isStatic, productOf, type Shape } from '../tensor/dim.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { maxSize } from '../tensor/interval.js';
import { dimsOrOperand } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { reshaping } from './layout.js';
import { exact } from './rounding.js';

/** The shape with its one -1 replaced by what the number of elements leaves. */
function settle(shape: Shape, from: Shape): Shape {
  const unknown = shape.findIndex((dim) => dim === -1);
  if (unknown < 0) return shape;
  const rest = productOf(shape.filter((_, i) => i !== unknown));
  const whole = productOf(from);
  const missing = exactQuotient(whole, rest) ?? (rest === 0 ? 0 : floorDivDim(whole, rest));
  return shape.map((dim, i) => (i === unknown ? missing : dim));
}

/**
 * The same elements in the same order under another shape. A dimension of -1, at most one, is what
 * the others leave.
 */
export const reshape = defineOp({
  name: 'Reshape',
  summary:
    'The elements of `x` in the same order under another shape; a dimension of -1 is what the others leave.',
  inputs: { x: one(...dtypes), shape: optional('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { shape: dimsOrOperand('shape') },
  constraints: {
    C1: {
      says: 'the shape is an attribute or an operand',
      holds: (types, { shape }) => (shape === null) === (types.shape !== undefined),
    },
    C2: {
      says: 'at most one dimension is -1',
      holds: (_, { shape }) => !shape || shape.filter((dim) => dim === -1).length <= 1,
    },
    C3: {
      says: 'the number of elements stays',
      holds: ({ x }, { shape }) => {
        if (!shape || !x.shape || !isStatic(shape) || !isStatic(x.shape)) return true;
        const [size, rest] = [sizeOf(x.shape), sizeOf(shape.filter((dim) => dim !== -1))];
        return shape.includes(-1) ? (rest === 0 ? size === 0 : size % rest === 0) : size === rest;
      },
    },
  },
  infer: ({ x, shape: operand }, { shape }, { fresh }) => {
    const target = shape ?? operand?.elements;
    if (target)
      return {
        y: {
          dtype: x.dtype,
          shape: x.shape
            ? settle(target, x.shape)
            : target.map((dim) => (dim === -1 ? fresh('reshape') : dim)),
          elements: x.elements,
        },
      };
    const rank = operand?.shape?.[0];
    return {
      y: {
        dtype: x.dtype,
        shape:
          typeof rank === 'number'
            ? Array.from({ length: rank }, () => fresh('reshape'))
            : undefined,
      },
    };
  },
  range: ({ x }) => ({ y: x }),
  demands: (_, __, { y }) => ({ x: y, shape: [-1n, maxSize] }),
  evaluate: ({ x, shape: operand }, { shape }) => {
    const target = settle(shape ?? Array.from(toNumbers(operand!)), x.shape) as readonly number[];
    if (sizeOf(target) !== sizeOf(x.shape)) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `[${x.shape.join(', ')}] cannot become [${target.join(', ')}].`,
        origin: { file: '' },
      });
    }
    return { y: { ...x, shape: target } };
  },
  layout: reshaping,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('int32', [2, 3], [1, 2, 3, 4, 5, 6]) },
      attrs: { shape: [3, -1] },
      outputs: { y: tensor('int32', [3, 2], [1, 2, 3, 4, 5, 6]) },
    },
  ],
});
