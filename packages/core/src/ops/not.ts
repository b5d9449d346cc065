import { subDim } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { mapElements } from '../typing/known-elements.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { exact } from './rounding.js';

/** Whether false. */
export const not = defineOp({
  name: 'Not',
  summary: 'Whether `x` is false.',
  inputs: { x: one('bool') },
  outputs: { y: one('bool') },
  attrs: {},
  constraints: {},
  infer: ({ x }) => ({
    y: { dtype: 'bool', shape: x.shape, elements: mapElements(x, 'bool', (e) => subDim(1, e)) },
  }),
  evaluate: ({ x }) => ({ y: { ...x, data: Uint8Array.from(x.data as Uint8Array, (v) => 1 - v) } }),
  layout: elementwise,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('bool', [2], [true, false]) },
      attrs: {},
      outputs: { y: tensor('bool', [2], [false, true]) },
    },
  ],
});
