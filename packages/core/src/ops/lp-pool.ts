import { poolConstraints } from '../constraints/pooling.js';
import { pool } from '../numeric/pool.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { poolType } from '../typing/pooling.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { poolAttrs } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofElement } from './rounding.js';

/** The p-norm of each window, (sum of |x|^p)^(1/p), as ONNX LpPool-22; padding adds nothing. */
export const lpPool = defineOp({
  name: 'LpPool',
  summary: 'The p-norm of the elements of `x` in each window.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { ...poolAttrs(), p: int() },
  constraints: { ...poolConstraints, C4: { says: 'p is positive', holds: (_, { p }) => p > 0 } },
  infer: ({ x }, attrs, { fresh }) => ({ y: poolType(x, attrs, fresh) }),
  evaluate: ({ x }, attrs) => {
    const y = pool(x, attrs, ({ places, ends }, x, from, y, to, step) => {
      for (let i = 0, at = 0; i < ends.length; i++, to += step) {
        const end = ends[i]!;
        let sum = 0;
        for (; at < end; at++) sum += Math.abs(x[from + places[at]!]!) ** attrs.p;
        y[to] = sum ** (1 / attrs.p);
      }
    });
    return { y };
  },
  layout: spatial,
  rounding: (_, { kernel }) => ofElement(Math.sqrt(sizeOf(kernel)) + 6),
  examples: [
    {
      inputs: { x: tensor('float32', [1, 1, 3], [3, -4, 0]) },
      attrs: {
        layout: 'channelsFirst',
        kernel: [2],
        strides: [1],
        dilations: [1],
        padding: 'explicit',
        pads: [0, 0],
        ceil: false,
        p: 2,
      },
      outputs: { y: tensor('float32', [1, 1, 2], [5, 4]) },
    },
  ],
});
