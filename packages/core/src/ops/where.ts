import { broadcasts } from '../constraints/broadcast.js';
import { broadcastTensors, inPieces } from '../numeric/broadcast.js';
import { partsOf } from '../numeric/copy.js';
import { isStatic, type Dim } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { hull } from '../tensor/interval.js';
import { broadcastStrides, walk } from '../tensor/strides.js';
import { allocate, sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { broadcastType } from '../typing/broadcast.js';
import { maxKnownElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** The elements of the result where those of the condition and of what it picks are known. */
function knownElements(
  condition: ValueType,
  x: ValueType,
  y: ValueType,
): readonly Dim[] | undefined {
  const { shape } = broadcastType(x.dtype, condition, x, y);
  if (!condition.elements || !shape || !isStatic(shape) || sizeOf(shape) > maxKnownElements)
    return undefined;
  const sources = [condition, x, y];
  if (!sources.every((type) => type.shape && isStatic(type.shape))) return undefined;
  const out: (Dim | undefined)[] = [];
  const strides = sources.map((type) => broadcastStrides(type.shape as readonly number[], shape));
  walk(shape, strides, (_, [c, p, q]) => {
    const chosen = condition.elements![c!];
    out.push(chosen === 1 ? x.elements?.[p!] : chosen === 0 ? y.elements?.[q!] : undefined);
  });
  return out.every((dim) => dim !== undefined) ? out : undefined;
}

function pick(y: Float64Array, chosen: Uint8Array, from: Float64Array, other: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] = chosen[i] !== 0 ? from[i]! : other[i]!;
}

/** A complex tensor as pairs of numbers, or a condition that holds for both of a pair. */
function asPairs({ dtype, shape, data }: Tensor): Tensor {
  return dtype === 'bool'
    ? { dtype, shape: [...shape, 1], data }
    : { dtype: 'float64', shape: [...shape, 2], data };
}

/** One of two tensors for each element. */
export const where = defineOp({
  name: 'Where',
  summary: '`x` where the condition is true, else `y`, with broadcasting.',
  inputs: { condition: one('bool'), x: one(...dtypes), y: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: {},
  constraints: {
    C1: { says: 'x and y have one element type', holds: ({ x, y }) => x.dtype === y.dtype },
    C2: {
      says: 'the shapes of condition, x and y broadcast',
      holds: ({ condition, x, y }) => broadcasts(condition, x, y),
    },
  },
  infer: ({ condition, x, y }) => ({
    y: { ...broadcastType(x.dtype, condition, x, y), elements: knownElements(condition, x, y) },
  }),
  range: ({ x, y }) => ({ y: hull(x, y) }),
  evaluate: ({ condition, x, y }) => {
    const shape = broadcastTensors(condition, x, y);
    const data = allocate(x.dtype, sizeOf(shape));
    const operands = [condition, x, y];
    // The two numbers of a complex element are a dimension of their own.
    const isComplex = partsOf(x.dtype) === 2;
    inPieces(
      isComplex ? operands.map(asPairs) : operands,
      isComplex ? [...shape, 2] : shape,
      (at, count, [chosen, from, other]) => {
        if (data instanceof Float64Array) {
          const [p, q] = [from as Float64Array, other as Float64Array];
          pick(data.subarray(at, at + count), chosen as Uint8Array, p, q);
        } else
          for (let i = 0; i < count; i++)
            (data as unknown[])[at + i] = chosen![i] !== 0 ? from![i] : other![i];
      },
    );
    return { y: { dtype: x.dtype, shape, data } };
  },
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: {
        condition: tensor('bool', [2, 1], [true, false]),
        x: tensor('float32', [2], [1, 2]),
        y: tensor('float32', [], [9]),
      },
      attrs: {},
      outputs: { y: tensor('float32', [2, 2], [1, 2, 9, 9]) },
    },
    {
      inputs: {
        condition: tensor('bool', [2], [true, false]),
        x: tensor('complex64', [1], [1, 2]),
        y: tensor('complex64', [2], [3, 4, 5, 6]),
      },
      attrs: {},
      outputs: { y: tensor('complex64', [2], [1, 2, 5, 6]) },
    },
    {
      inputs: {
        condition: tensor('bool', [2], [true, false]),
        x: tensor('string', [], ['a']),
        y: tensor('string', [2], ['b', 'c']),
      },
      attrs: {},
      outputs: { y: tensor('string', [2], ['a', 'c']) },
    },
  ],
});
