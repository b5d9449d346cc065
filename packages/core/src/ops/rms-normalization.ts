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

/** Normalisation by the root mean square of the last dimensions. */
export const rmsNormalization = defineOp({
  name: 'RMSNormalization',
  summary:
    'x / sqrt(mean of squares + epsilon), with the mean over the dimensions from `axis` to the last, times `scale`, which broadcasts to x.',
  inputs: { x: one(...floatTypes), scale: optional(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: int(), epsilon: float() },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: { says: 'scale broadcasts to x', holds: ({ x, scale }) => broadcastsTo(scale, x) },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, scale }, { axis, epsilon }) => {
    const data = standardise(x, from(axis, x.shape.length), epsilon, 'meanSquare');
    scaleAndShift(data, x.shape, scale, undefined);
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: overLastDimensions,
  rounding: ({ x }, { axis }) => ofTerms(Math.sqrt(sizeOf(x.slice(axis))) / 8 + 3),
  examples: [
    {
      inputs: { x: tensor('float32', [1, 2], [1, 7]), scale: tensor('float32', [2], [10, 1]) },
      attrs: { axis: 1, epsilon: 0 },
      outputs: { y: tensor('float32', [1, 2], [2, 1.4]) },
    },
    {
      inputs: { x: tensor('float64', [2], [0, 2]) },
      attrs: { axis: 0, epsilon: 2 },
      outputs: { y: tensor('float64', [2], [0, 1]) },
    },
  ],
  decompose: ({ x, scale }, { axis, epsilon }, graph) => {
    const wide = inType(graph, x, computationType(x.dtype));
    const standardised = buildStandardised(
      graph,
      wide,
      from(axis, knownShape(x).length),
      epsilon,
      'meanSquare',
    );
    return { y: buildScaled(graph, standardised, scale, undefined, x.dtype) };
  },
});
