import { computationType, inType } from '../building/normalisation.js';
import { scalar } from '../building/scalar.js';
import { isAxis } from '../constraints/axes.js';
import { lanes } from '../numeric/lanes.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { div } from './div.js';
import { equal } from './equal.js';
import { alongAxis } from './layout.js';
import { reduceL1 } from './reduce-l1.js';
import { reduceL2 } from './reduce-l2.js';
import { ofTerms } from './rounding.js';
import { where } from './where.js';

/** Vectors of norm 1 along an axis. */
export const lpNormalization = defineOp({
  name: 'LpNormalization',
  summary:
    '`x` divided by its `p`-norm along `axis` (p is 1 or 2); where the norm is 0 the result is 0.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int(), p: int() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: { says: 'p is 1 or 2', holds: (_, { p }) => p === 1 || p === 2 },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { axis, p }) => {
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    lanes(x.shape, axis, (first, stride, size) => {
      let sum = 0;
      for (let i = 0, at = first; i < size; i++, at += stride) sum += Math.abs(from[at]!) ** p;
      const norm = p === 1 ? sum : Math.sqrt(sum);
      for (let i = 0, at = first; i < size; i++, at += stride)
        data[at] = from[at]! / (norm === 0 ? 1 : norm);
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: alongAxis('first', 'axis'),
  rounding: ({ x }, { axis }) => ofTerms(Math.sqrt(x[axis]!) / 4 + 3),
  examples: [
    {
      inputs: { x: tensor('float64', [2, 2], [3, -4, 0, 0]) },
      attrs: { axis: 1, p: 2 },
      outputs: { y: tensor('float64', [2, 2], [0.6, -0.8, 0, 0]) },
    },
    {
      inputs: { x: tensor('float64', [2, 2], [3, -4, 1, 12]) },
      attrs: { axis: 0, p: 1 },
      outputs: { y: tensor('float64', [2, 2], [0.75, -0.25, 0.25, 0.75]) },
    },
  ],
  decompose: ({ x }, { axis, p }, graph) => {
    const type = computationType(x.dtype);
    const wide = inType(graph, x, type);
    const norm = graph.add(
      p === 1 ? reduceL1 : reduceL2,
      { x: wide },
      { axes: [axis], keepdims: true },
    ).y;
    const isZero = graph.add(equal, { a: norm, b: scalar(graph, type, 0) }, {}).y;
    const divisor = graph.add(
      where,
      { condition: isZero, x: scalar(graph, type, 1), y: norm },
      {},
    ).y;
    return { y: inType(graph, graph.add(div, { a: wide, b: divisor }, {}).y, x.dtype) };
  },
});
