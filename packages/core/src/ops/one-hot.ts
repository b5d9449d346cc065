import { bounds } from '../tensor/dim.js';
import { dtypes, numberTypes } from '../tensor/dtype.js';
import { allocate, sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { maxSize } from '../tensor/interval.js';
import { dimsOrOperand, int } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { addsDimensions } from './layout.js';
import { exact } from './rounding.js';

/** Indices as vectors that are `on` in one place. */
export const oneHot = defineOp({
  name: 'OneHot',
  summary:
    'For each index a vector of `depth` elements along the new dimension `axis`: values[1] at the index, values[0] elsewhere. Negative indices count from the end; an index outside gives values[0] throughout.',
  inputs: { indices: one(...numberTypes), values: one(...dtypes), depth: optional(...numberTypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axis: int(), depth: dimsOrOperand('depth') },
  constraints: {
    C1: {
      says: '0 <= axis <= rank(indices)',
      holds: ({ indices }, { axis }) =>
        axis >= 0 && (!indices.shape || axis <= indices.shape.length),
    },
    C2: {
      says: 'depth is an attribute or an operand',
      holds: (types, { depth }) => (depth === null) === (types.depth !== undefined),
    },
    C3: {
      says: 'depth is one number, not negative',
      holds: (_, { depth }) => !depth || (depth.length === 1 && bounds(depth[0]!)[1] >= 0),
    },
    C4: {
      says: 'values are two elements, off and on',
      holds: ({ values }) =>
        !values.shape ||
        (values.shape.length === 1 &&
          (values.shape[0] === 2 || typeof values.shape[0] !== 'number')),
    },
  },
  infer: ({ indices, values, depth: operand }, { axis, depth }, { fresh }) => {
    const size = (depth ?? operand?.elements)?.[0] ?? fresh('depth');
    const shape = indices.shape && [
      ...indices.shape.slice(0, axis),
      size,
      ...indices.shape.slice(axis),
    ];
    return { y: { dtype: values.dtype, shape } };
  },
  range: ({ values }) => ({ y: values }),
  demands: () => ({ depth: [0n, maxSize] }),
  evaluate: ({ indices, values, depth: operand }, { axis, depth }) => {
    const size = Math.trunc(depth?.[0] ?? toNumbers(operand!)[0]!);
    if (!(size >= 0))
      throw coreDiagnostics.error('not-evaluable', {
        message: `The depth ${size} of a OneHot is negative.`,
        origin: { file: '' },
      });
    const shape = [...indices.shape.slice(0, axis), size, ...indices.shape.slice(axis)];
    const data = allocate(values.dtype, sizeOf(shape)) as unknown as unknown[];
    const [off, on] = values.data as unknown as [unknown, unknown];
    data.fill(off);
    const inner = sizeOf(indices.shape.slice(axis));
    toNumbers(indices).forEach((index, i) => {
      const place = Math.trunc(index < 0 ? index + size : index);
      if (place >= 0 && place < size)
        data[(Math.floor(i / inner) * size + place) * inner + (i % inner)] = on;
    });
    return { y: { dtype: values.dtype, shape, data: data as unknown as Float64Array } };
  },
  layout: addsDimensions('axis'),
  rounding: exact,
  examples: [
    {
      inputs: { indices: tensor('int64', [3], [1, -1, 5]), values: tensor('float32', [2], [0, 2]) },
      attrs: { axis: 1, depth: [3] },
      outputs: { y: tensor('float32', [3, 3], [0, 2, 0, 0, 0, 2, 0, 0, 0]) },
    },
    {
      inputs: {
        indices: tensor('int32', [2], [1, 0]),
        values: tensor('int64', [2], [7, 8]),
        depth: tensor('int64', [], [2]),
      },
      attrs: { axis: 0, depth: null },
      outputs: { y: tensor('int64', [2, 2], [7, 8, 8, 7]) },
    },
  ],
});
