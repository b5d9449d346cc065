import { sizesOf } from '../building/sizes-of.js';
import { isAxis } from '../constraints/axes.js';
import { lanes } from '../numeric/lanes.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { argMax } from './arg-max.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { oneHot } from './one-hot.js';
import { exact } from './rounding.js';

/** One at the largest element along one axis. */
export const hardmax = defineOp({
  name: 'Hardmax',
  summary: '1 at the first of the largest elements along `axis`, 0 elsewhere.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int() },
  constraints: { C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) } },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { axis }) => {
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    lanes(x.shape, axis, (first, stride, size) => {
      let best = first;
      for (let i = 0, p = first; i < size; i++, p += stride) {
        if (from[p]! > from[best]! || (Number.isNaN(from[p]) && !Number.isNaN(from[best])))
          best = p;
      }
      if (size > 0) data[best] = 1;
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: alongAxis('first', 'axis'),
  rounding: exact,
  jumps: () => true,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 3], [1, 3, 3, -1, -2, -3]) },
      attrs: { axis: 1 },
      outputs: { y: tensor('float32', [2, 3], [0, 1, 0, 1, 0, 0]) },
    },
  ],
  decompose: ({ x }, { axis }, graph) => {
    const index = graph.add(argMax, { x }, { axis, keepdims: false, selectLastIndex: false }).y;
    const depth = sizesOf(graph, x, [{ axis }]);
    const values = graph.literal(x.dtype, [2], [0, 1]);
    return graph.add(
      oneHot,
      { indices: index, values, depth: depth.operand },
      { axis, depth: depth.attr },
    );
  },
});
