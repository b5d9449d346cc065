import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { roundSaturated } from '../numeric/saturate.js';
import type { Dim } from '../tensor/dim.js';
import { complexTypes, dtypes, isFloat, isWider, type DType } from '../tensor/dtype.js';
import { ends, magnitude } from '../tensor/interval.js';
import { tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { castTensor } from '../tensor/cast-tensor.js';
import { knownComparison } from '../typing/known-comparison.js';
import { mapElements } from '../typing/known-elements.js';
import { dtypeAttr } from './attr.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

const castTypes = dtypes.filter((dtype) => !complexTypes.some((complex) => complex === dtype));

function fromText(text: string): number {
  const value = /^[+-]?inf(inity)?$/i.test(text)
    ? text.startsWith('-')
      ? -Infinity
      : Infinity
    : Number(text);
  if (text.trim() !== '' && (!Number.isNaN(value) || /^nan$/i.test(text))) return value;
  throw coreDiagnostics.error('not-evaluable', {
    message: `${JSON.stringify(text)} is not a number.`,
    origin: { file: '' },
  });
}

function toText(x: Tensor): Tensor {
  if (isFloat(x.dtype))
    throw coreDiagnostics.error('not-evaluable', {
      message: 'How many digits a float has as text is not defined.',
      origin: { file: '' },
    });
  return {
    dtype: 'string',
    shape: x.shape,
    data: Array.from(x.data as ArrayLike<number | bigint>, String),
  };
}

function convert(x: Tensor, to: DType): Tensor {
  if (to === x.dtype) return x;
  if (to === 'string') return toText(x);
  if (x.dtype === 'string') {
    const texts = x.data as readonly string[];
    if ((to === 'int64' || to === 'uint64') && texts.every((text) => /^[+-]?\d+$/.test(text)))
      return tensor(to, x.shape, texts.map(BigInt));
    return convert(
      { dtype: 'float64', shape: x.shape, data: Float64Array.from(texts, fromText) },
      to,
    );
  }
  if (!isFloat(to)) return castTensor(x, to);
  const values = toNumbers(x);
  return {
    dtype: to,
    shape: x.shape,
    data: isFloat(x.dtype) && isWider(to, x.dtype) ? values : roundSaturated(values, to),
  };
}

/**
 * Elements of another type. Floats round to nearest, ties to even, and saturate in the types of 8
 * bits and fewer; floats become integers by truncation, integers wrap; what is not zero is true. A
 * text is read as a number.
 */
export const cast = defineOp({
  name: 'Cast',
  summary:
    'The elements of `x` converted to another type: to floats to nearest (8 bits and fewer saturate), to integers by truncation and wrapping.',
  inputs: { x: one(...castTypes) },
  outputs: { y: one(...castTypes) },
  attrs: { to: dtypeAttr() },
  constraints: {
    C1: { says: 'the type is not complex', holds: (_, { to }) => castTypes.includes(to) },
  },
  infer: ({ x }, { to }) => {
    const convertElement =
      to === 'bool'
        ? (element: Dim) => knownComparison(element, 0, (difference) => difference !== 0)
        : (element: Dim) => element;
    return { y: { dtype: to, shape: x.shape, elements: mapElements(x, to, convertElement) } };
  },
  // To integers floats are truncated, which does not leave the integers around them.
  range: ({ x }, { to }) => ({
    y: to === 'bool' && x ? ends(magnitude(x), (v) => (v > 0n ? 1n : 0n)) : x,
  }),
  evaluate: ({ x }, { to }) => ({ y: convert(x, to) }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [3], [1.7, -1.7, 0]) },
      attrs: { to: 'int32' },
      outputs: { y: tensor('int32', [3], [1, -1, 0]) },
    },
    {
      inputs: { x: tensor('int64', [3], [300, -1, 5]) },
      attrs: { to: 'uint8' },
      outputs: { y: tensor('uint8', [3], [44, 255, 5]) },
    },
    {
      inputs: { x: tensor('float32', [2], [0.5, 0]) },
      attrs: { to: 'bool' },
      outputs: { y: tensor('bool', [2], [true, false]) },
    },
    {
      inputs: { x: tensor('float32', [2], [2049, 70000]) },
      attrs: { to: 'float16' },
      outputs: { y: tensor('float16', [2], [2048, Infinity]) },
    },
    {
      inputs: { x: tensor('float32', [2], [1000, -1000]) },
      attrs: { to: 'float8e4m3fn' },
      outputs: { y: tensor('float8e4m3fn', [2], [448, -448]) },
    },
    {
      inputs: { x: tensor('string', [3], ['-1.5', '2e3', 'INF']) },
      attrs: { to: 'float64' },
      outputs: { y: tensor('float64', [3], [-1.5, 2000, Infinity]) },
    },
    {
      inputs: { x: tensor('int64', [1], [9007199254740993n]) },
      attrs: { to: 'string' },
      outputs: { y: tensor('string', [1], ['9007199254740993']) },
    },
  ],
});
