import { symbolsOf } from '../tensor/dim.js';
import { tensor } from '../tensor/tensor.js';
import { dims as dimsAttr } from './attr.js';
import { defineOp, one } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/** Sizes of named dimensions, and expressions over them, as data. */
export const dims = defineOp({
  name: 'Dims',
  summary:
    'Integers, and expressions over the named dimensions of the inputs of the model, as data.',
  inputs: {},
  outputs: { y: one('int64') },
  attrs: { values: dimsAttr() },
  constraints: {
    C1: {
      says: 'the values rest on dimensions that the inputs of the model tell',
      holds: (_, { values }) =>
        values.every((value) => [...symbolsOf(value)].every((name) => !name.startsWith('?'))),
    },
  },
  infer: (_, { values }) => ({ y: { dtype: 'int64', shape: [values.length], elements: values } }),
  evaluate: (_, { values }) => ({ y: tensor('int64', [values.length], values) }),
  layout: fixed('its result is a vector'),
  rounding: exact,
  examples: [
    { inputs: {}, attrs: { values: [2, -1] }, outputs: { y: tensor('int64', [2], [2, -1]) } },
  ],
});
