import { poolConstraints } from '../constraints/pooling.js';
import { pool } from '../numeric/pool.js';
import { meanSquare } from '../numeric/mean-square.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { poolType } from '../typing/pooling.js';
import { channelAxis } from '../typing/window.js';
import { bool } from './attr.js';
import { defineOp, one } from './define-op.js';
import { poolAttrs } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofTerms } from './rounding.js';

/**
 * Mean of each window, as ONNX AveragePool-22. The divisor is the number of taps that lie in the
 * input, or with `countIncludePad` in the input or its padding: taps that `ceil` lets reach behind
 * the padding never count. A window of padding only gives 0.
 */
export const averagePool = defineOp({
  name: 'AveragePool',
  summary: 'Mean of the elements of `x` in each window.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { ...poolAttrs(), countIncludePad: bool() },
  constraints: poolConstraints,
  infer: ({ x }, attrs, { fresh }) => ({ y: poolType(x, attrs, fresh) }),
  evaluate: ({ x }, attrs) => {
    const y = pool(x, attrs, ({ places, ends, padded }, x, from, y, to, step) => {
      for (let i = 0, at = 0; i < ends.length; i++, to += step) {
        const end = ends[i]!;
        const count = end - at;
        let sum = 0;
        for (; at < end; at++) sum += x[from + places[at]!]!;
        y[to] = count === 0 ? 0 : sum / (attrs.countIncludePad ? padded[i]! : count);
      }
    });
    return { y };
  },
  layout: spatial,
  rounding: ({ x }, { kernel, layout }) =>
    ofTerms(Math.sqrt(sizeOf(kernel)) + 1, channelAxis(layout, x.length)),
  termSquares: ({ x }, { kernel }) => meanSquare(toNumbers(x)) / Math.max(sizeOf(kernel), 1),
  examples: [
    {
      inputs: { x: tensor('float32', [1, 1, 4], [3, 6, 9, 12]) },
      attrs: {
        layout: 'channelsFirst',
        kernel: [3],
        strides: [2],
        dilations: [1],
        padding: 'explicit',
        pads: [1, 0],
        ceil: true,
        countIncludePad: true,
      },
      outputs: { y: tensor('float32', [1, 1, 2], [3, 9]) },
    },
    {
      inputs: { x: tensor('float32', [1, 3, 1], [2, 4, 6]) },
      attrs: {
        layout: 'channelsLast',
        kernel: [2],
        strides: [2],
        dilations: [1],
        padding: 'sameUpper',
        pads: [0, 0],
        ceil: false,
        countIncludePad: false,
      },
      outputs: { y: tensor('float32', [1, 2, 1], [3, 6]) },
    },
  ],
});
