import { scalar } from '../building/scalar.js';
import { evaluateBinary } from '../numeric/binary.js';
import { sameDim } from '../tensor/dim.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { defineOp, one } from './define-op.js';
import { elementwise } from './layout.js';
import { less } from './less.js';
import { mul } from './mul.js';
import { ofElement } from './rounding.js';
import { where } from './where.js';

/** x, and slope x below 0. */
export const pRelu = defineOp({
  name: 'PRelu',
  summary: '`x` from 0 on, slope x below; `slope` broadcasts to the shape of `x`.',
  inputs: { x: one(...floatTypes), slope: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: {},
  constraints: {
    C1: {
      says: 'x and slope have one element type',
      holds: ({ x, slope }) => x.dtype === slope.dtype,
    },
    C2: {
      says: 'slope broadcasts to the shape of x',
      holds: ({ x, slope }) => {
        if (!x.shape || !slope.shape) return true;
        const shape = broadcastShapes(x.shape, slope.shape);
        return (
          shape?.length === x.shape.length &&
          shape.every(
            (dim, i) =>
              typeof dim !== 'number' ||
              typeof x.shape![i] !== 'number' ||
              sameDim(dim, x.shape![i]!),
          )
        );
      },
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, slope }) => ({
    y: evaluateBinary(
      x,
      slope,
      x.dtype,
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = a[i]! < 0 ? b[i]! * a[i]! : a[i]!;
      },
      () => 0n,
    ),
  }),
  layout: elementwise,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: {
        x: tensor('float32', [2, 2], [-4, 4, -8, 8]),
        slope: tensor('float32', [2, 1], [0.5, 0.25]),
      },
      attrs: {},
      outputs: { y: tensor('float32', [2, 2], [-2, 4, -2, 8]) },
    },
  ],
  decompose: ({ x, slope }, _, graph) => {
    const { y: isNegative } = graph.add(less, { a: x, b: scalar(graph, x.dtype, 0) }, {});
    return graph.add(
      where,
      { condition: isNegative, x: graph.add(mul, { a: x, b: slope }, {}).y, y: x },
      {},
    );
  },
});
