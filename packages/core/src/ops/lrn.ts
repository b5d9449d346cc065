import { computationType, inType } from '../building/normalisation.js';
import { scalar } from '../building/scalar.js';
import { isAxis } from '../constraints/axes.js';
import { knownShape } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import { lanes } from '../numeric/lanes.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { add } from './add.js';
import { float, int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { div } from './div.js';
import { overChannels } from './layout.js';
import { mul } from './mul.js';
import { pad } from './pad.js';
import { pow } from './pow.js';
import { ofElement } from './rounding.js';
import { slice, sliceEnd } from './slice.js';

/**
 * Channels before and after its own that a window takes; of an even size the larger part is after.
 */
const reach = (size: number) => [Math.floor((size - 1) / 2), Math.ceil((size - 1) / 2)] as const;

/** Local response normalisation (Krizhevsky 2012). */
export const lrn = defineOp({
  name: 'LRN',
  summary:
    'x / (bias + alpha / size * sum)^beta, where the sum is that of the squares of the `size` elements around each along `axis`.',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { size: int(), alpha: float(), beta: float(), bias: float(), axis: int() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: { says: 'size is positive', holds: (_, { size }) => size > 0 },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { size, alpha, beta, bias, axis }) => {
    const from = toNumbers(x);
    const data = new Float64Array(from.length);
    const [before, after] = reach(size);
    lanes(x.shape, axis, (first, stride, count) => {
      for (let i = 0; i < count; i++) {
        let sum = 0;
        for (let k = Math.max(0, i - before); k <= Math.min(count - 1, i + after); k++)
          sum += from[first + k * stride]! ** 2;
        data[first + i * stride] =
          from[first + i * stride]! / (bias + (alpha / size) * sum) ** beta;
      }
    });
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: overChannels,
  rounding: (_, { size }) => ofElement(Math.sqrt(size) + 6),
  examples: [
    {
      inputs: { x: tensor('float64', [1, 4, 1], [1, 2, 3, 4]) },
      attrs: { size: 3, alpha: 3, beta: 1, bias: 1, axis: 1 },
      outputs: { y: tensor('float64', [1, 4, 1], [1 / 6, 2 / 15, 0.1, 4 / 26]) },
    },
    {
      inputs: { x: tensor('float64', [1, 3], [1, 2, 3]) },
      attrs: { size: 2, alpha: 2, beta: 0.5, bias: 0, axis: 1 },
      outputs: { y: tensor('float64', [1, 3], [1 / Math.sqrt(5), 2 / Math.sqrt(13), 1]) },
    },
  ],
  decompose: ({ x }, { size, alpha, beta, bias, axis }, graph) => {
    const type = computationType(x.dtype);
    const wide = inType(graph, x, type);
    const rank = knownShape(x).length;
    const [before, after] = reach(size);
    const pads = Array.from({ length: 2 * rank }, (_, i) =>
      i === axis ? before : i === axis + rank ? after : 0,
    );
    const padded = graph.add(
      pad,
      { x: graph.add(mul, { a: wide, b: wide }, {}).y },
      { mode: 'constant', pads },
    ).y;
    const shifted = Array.from({ length: size }, (_, i): Value => {
      const end = i === size - 1 ? sliceEnd : i - size + 1;
      return graph.add(slice, { x: padded }, { axes: [axis], starts: [i], ends: [end], steps: [1] })
        .y;
    });
    const sum = shifted.reduce((a, b) => graph.add(add, { a, b }, {}).y);
    const scaled = graph.add(mul, { a: sum, b: scalar(graph, type, alpha / size) }, {}).y;
    const base = graph.add(add, { a: scaled, b: scalar(graph, type, bias) }, {}).y;
    const divisor = graph.add(pow, { a: base, b: scalar(graph, type, beta) }, {}).y;
    return { y: inType(graph, graph.add(div, { a: wide, b: divisor }, {}).y, x.dtype) };
  },
});
