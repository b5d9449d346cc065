import {
  buildAlongAxis,
  buildScaled,
  buildStandardised,
  computationType,
  inType,
} from '../building/normalisation.js';
import { canBe } from '../constraints/same-type.js';
import { knownShape } from '../graph/graph.js';
import { alongAxis, scaleAndShift, standardise } from '../numeric/standardise.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { channelAxis, type Layout } from '../typing/window.js';
import { float } from './attr.js';
import { defineOp, one } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofTerms } from './rounding.js';

const spatialAxes = (layout: Layout, rank: number) =>
  Array.from({ length: rank - 2 }, (_, i) => i + (layout === 'channelsFirst' ? 2 : 1));

/** Normalisation by the mean and variance of each channel of each sample. */
export const instanceNormalization = defineOp({
  name: 'InstanceNormalization',
  summary:
    '(x - mean) / sqrt(variance + epsilon) * scale + bias, with the mean and variance of each channel of each sample, and one scale and bias for each channel.',
  inputs: { x: one(...floatTypes), scale: one(...floatTypes), bias: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { epsilon: float(), layout: layoutAttr() },
  constraints: {
    C1: {
      says: 'x has at least three dimensions',
      holds: ({ x }) => !x.shape || x.shape.length >= 3,
    },
    C2: {
      says: 'scale and bias are vectors over the channels',
      holds: ({ x, scale, bias }, { layout }) => {
        const channels = x.shape?.[channelAxis(layout, x.shape.length)];
        return canBe(scale, channels) && canBe(bias, channels);
      },
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, scale, bias }, { epsilon, layout }) => {
    const rank = x.shape.length;
    const channels = channelAxis(layout, rank);
    const data = standardise(x, spatialAxes(layout, rank), epsilon, 'variance');
    scaleAndShift(data, x.shape, alongAxis(scale, channels, rank), alongAxis(bias, channels, rank));
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: spatial,
  rounding: ({ x }, { layout }) =>
    ofTerms(Math.sqrt(sizeOf(spatialAxes(layout, x.length).map((axis) => x[axis]!))) / 16 + 4),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 2, 2], [1, 3, -4, 4]),
        scale: tensor('float32', [2], [2, 3]),
        bias: tensor('float32', [2], [0, 5]),
      },
      attrs: { epsilon: 0, layout: 'channelsFirst' },
      outputs: { y: tensor('float32', [1, 2, 2], [-2, 2, 2, 8]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 2, 2], [1, -4, 3, 4]),
        scale: tensor('float32', [2], [2, 3]),
        bias: tensor('float32', [2], [0, 5]),
      },
      attrs: { epsilon: 0, layout: 'channelsLast' },
      outputs: { y: tensor('float32', [1, 2, 2], [-2, 2, 2, 8]) },
    },
  ],
  decompose: ({ x, scale, bias }, { epsilon, layout }, graph) => {
    const rank = knownShape(x).length;
    const channels = channelAxis(layout, rank);
    const wide = inType(graph, x, computationType(x.dtype));
    const standardised = buildStandardised(
      graph,
      wide,
      spatialAxes(layout, rank),
      epsilon,
      'variance',
    );
    const along = (vector: typeof x) => buildAlongAxis(graph, vector, channels, x);
    return { y: buildScaled(graph, standardised, along(scale), along(bias), x.dtype) };
  },
});
