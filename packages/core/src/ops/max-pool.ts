import { poolConstraints } from '../constraints/pooling.js';
import { pool } from '../numeric/pool.js';
import { floatTypes, intRange } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { poolType } from '../typing/pooling.js';
import { defineOp, one } from './define-op.js';
import { poolAttrs } from './families/windowed.js';
import { spatial } from './layout.js';
import { exact } from './rounding.js';

/**
 * Largest element of each window, NaN where there is one, as ONNX MaxPool-22 without indices.
 * Padding never wins: a window of padding only gives the lowest value of the type.
 */
export const maxPool = defineOp({
  name: 'MaxPool',
  summary: 'Largest element of `x` in each window.',
  inputs: { x: one(...floatTypes, 'int32', 'int8', 'uint8') },
  outputs: { y: one(...floatTypes, 'int32', 'int8', 'uint8') },
  attrs: poolAttrs(),
  constraints: poolConstraints,
  infer: ({ x }, attrs, { fresh }) => ({ y: poolType(x, attrs, fresh) }),
  evaluate: ({ x }, attrs) => {
    const lowest = Number(intRange(x.dtype)?.[0] ?? -Infinity);
    const y = pool(x, attrs, ({ places, ends }, x, from, y, to, step) => {
      for (let i = 0, at = 0; i < ends.length; i++, to += step) {
        const end = ends[i]!;
        let largest = lowest;
        for (; at < end; at++) largest = Math.max(largest, x[from + places[at]!]!);
        y[to] = largest;
      }
    });
    return { y };
  },
  layout: spatial,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [1, 1, 5], [1, 5, 2, -1, -3]) },
      attrs: {
        layout: 'channelsFirst',
        kernel: [2],
        strides: [2],
        dilations: [1],
        padding: 'explicit',
        pads: [0, 0],
        ceil: true,
      },
      outputs: { y: tensor('float32', [1, 1, 3], [5, 2, -3]) },
    },
    {
      inputs: { x: tensor('float32', [1, 3, 1], [-1, -2, -3]) },
      attrs: {
        layout: 'channelsLast',
        kernel: [2],
        strides: [1],
        dilations: [2],
        padding: 'sameLower',
        pads: [0, 0],
        ceil: false,
      },
      outputs: { y: tensor('float32', [1, 3, 1], [-2, -1, -2]) },
    },
  ],
});
