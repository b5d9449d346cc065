import { canBe } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { strided } from '../numeric/copy.js';
import { bounds, type Dim, type Shape } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { maxSize } from '../tensor/interval.js';
import { broadcastStrides } from '../tensor/strides.js';
import { tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { movedElements } from '../typing/moved-elements.js';
import { dimsOrOperand } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { perDimension } from './layout.js';
import { exact } from './rounding.js';

/**
 * `x` repeated along its dimensions of 1 until it has the shape that it and `target` broadcast to.
 */
function expanded(x: Tensor, target: readonly number[]): Tensor {
  const shape = broadcastShapes(x.shape, target) as readonly number[] | undefined;
  if (!shape) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `[${x.shape.join(', ')}] does not broadcast with [${target.join(', ')}].`,
      origin: { file: '' },
    });
  }
  return strided(x, shape, broadcastStrides(x.shape, shape));
}

/** What is known of the result when only the number of dimensions asked for is known. */
function partlyKnown(from: Shape, count: number, fresh: () => Dim): Shape {
  const own = (axis: number) => from[axis - Math.max(from.length, count) + from.length];
  // A dimension of at least 2 stays: it broadcasts only with 1 and with itself.
  return Array.from({ length: Math.max(from.length, count) }, (_, axis) => {
    const dim = own(axis);
    return dim !== undefined && (axis < from.length - count || bounds(dim)[0] > 1) ? dim : fresh();
  });
}

/** Broadcasting to a shape. */
export const expand = defineOp({
  name: 'Expand',
  summary:
    '`x` broadcast with a shape: dimensions of 1, of either, are repeated, and missing leading ones of `x` are added.',
  inputs: { x: one(...dtypes), shape: optional('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { shape: dimsOrOperand('shape') },
  constraints: {
    C1: {
      says: 'the shape is an attribute or an operand, which is a vector',
      holds: (types, { shape }) =>
        (shape === null) === (types.shape !== undefined) && canBe(types.shape, undefined),
    },
    C2: {
      says: 'no dimension is negative',
      holds: (_, { shape }) => !shape || shape.every((dim) => bounds(dim)[1] >= 0),
    },
    C3: {
      says: 'x and the shape broadcast',
      holds: ({ x }, { shape }) =>
        !shape || !x.shape || broadcastShapes(x.shape, shape) !== undefined,
    },
  },
  infer: ({ x, shape: operand }, { shape }, { fresh }) => {
    const target = shape ?? operand?.elements;
    const count = operand?.shape?.[0];
    if (!x.shape || (!target && typeof count !== 'number'))
      return { y: { dtype: x.dtype, shape: undefined } };
    const result = target
      ? broadcastShapes(x.shape, target)
      : partlyKnown(x.shape, count as number, () => fresh('expand'));
    const elements = movedElements([x], result, ([at]) =>
      expanded(at!, result as readonly number[]),
    );
    return { y: { dtype: x.dtype, shape: result, elements } };
  },
  range: ({ x }) => ({ y: x }),
  demands: () => ({ shape: [-1n, maxSize] }),
  evaluate: ({ x, shape: operand }, { shape }) => ({
    y: expanded(x, shape ?? Array.from(toNumbers(operand!))),
  }),
  layout: perDimension('shape'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [3, 1], [1, 2, 3]) },
      attrs: { shape: [2, 1, 2] },
      outputs: { y: tensor('float32', [2, 3, 2], [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3]) },
    },
    {
      inputs: { x: tensor('int64', [], [7]) },
      attrs: { shape: [3] },
      outputs: { y: tensor('int64', [3], [7, 7, 7]) },
    },
    {
      inputs: { x: tensor('float32', [2], [1, 2]), shape: tensor('int64', [2], [2, 1]) },
      attrs: { shape: null },
      outputs: { y: tensor('float32', [2, 2], [1, 2, 1, 2]) },
    },
  ],
});
