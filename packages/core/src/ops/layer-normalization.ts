import {
  buildScaled,
  buildStandardised,
  computationType,
  inType,
} from '../building/normalisation.js';
import { isAxis } from '../constraints/axes.js';
import { broadcastsTo } from '../constraints/broadcast.js';
import { knownShape } from '../graph/graph.js';
import { scaleAndShift, standardise } from '../numeric/standardise.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { float, int } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { overLastDimensions } from './layout.js';
import { ofTerms } from './rounding.js';

const from = (axis: number, rank: number) =>
  Array.from({ length: rank - axis }, (_, i) => axis + i);

/** Normalisation by the mean and variance of the last dimensions. */
export const layerNormalization = defineOp({
  name: 'LayerNormalization',
  summary:
    '(x - mean) / sqrt(variance + epsilon), with the mean and variance over the dimensions from `axis` to the last, times `scale` and plus `bias`, which broadcast to x.',
  inputs: { x: one(...floatTypes), scale: optional(...floatTypes), bias: optional(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int(), epsilon: float() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
      says: 'scale and bias broadcast to x',
      holds: ({ x, scale, bias }) => broadcastsTo(scale, x) && broadcastsTo(bias, x),
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, scale, bias }, { axis, epsilon }) => {
    const data = standardise(x, from(axis, x.shape.length), epsilon, 'variance');
    scaleAndShift(data, x.shape, scale, bias);
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: overLastDimensions,
  rounding: ({ x }, { axis }) => ofTerms(Math.sqrt(sizeOf(x.slice(axis))) / 8 + 3),
  examples: [
    {
      inputs: {
        x: tensor('float32', [2, 2], [1, 3, -4, 4]),
        scale: tensor('float32', [2], [2, 3]),
        bias: tensor('float32', [1], [5]),
      },
      attrs: { axis: 1, epsilon: 0 },
      outputs: { y: tensor('float32', [2, 2], [3, 8, 3, 8]) },
    },
    {
      inputs: { x: tensor('float32', [1, 2, 2], [0, 0, 0, 4]) },
      attrs: { axis: 1, epsilon: 1 },
      outputs: { y: tensor('float32', [1, 2, 2], [-0.5, -0.5, -0.5, 1.5]) },
    },
  ],
  decompose: ({ x, scale, bias }, { axis, epsilon }, graph) => {
    const wide = inType(graph, x, computationType(x.dtype));
    const standardised = buildStandardised(
      graph,
      wide,
      from(axis, knownShape(x).length),
      epsilon,
      'variance',
    );
    return { y: buildScaled(graph, standardised, scale, bias, x.dtype) };
  },
});
