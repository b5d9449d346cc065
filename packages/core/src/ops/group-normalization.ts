import {
  buildAlongAxis,
  buildScaled,
  buildStandardised,
  computationType,
  inType,
} from '../building/normalisation.js';
import { sizesOf, type Size } from '../building/sizes-of.js';
import { canBe } from '../constraints/same-type.js';
import { knownShape, staticShape } from '../graph/graph.js';
import { alongAxis, scaleAndShift, standardise } from '../numeric/standardise.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { channelAxis, type Layout } from '../typing/window.js';
import { float, int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { reshape } from './reshape.js';
import { ofTerms } from './rounding.js';

const channelsOf = ({ shape }: ValueType, layout: Layout) =>
  shape?.[channelAxis(layout, shape.length)];

/**
 * A shape of the same elements in which the groups are a dimension, and the dimensions that are
 * normalised together.
 */
function grouped<S>(
  layout: Layout,
  batch: S,
  groups: S,
  perGroup: S,
  rest: S,
): { shape: S[]; axes: number[] } {
  return layout === 'channelsFirst'
    ? { shape: [batch, groups, rest], axes: [2] }
    : { shape: [batch, rest, groups, perGroup], axes: [1, 3] };
}

/** Normalisation by the mean and variance of groups of channels of each sample. */
export const groupNormalization = defineOp({
  name: 'GroupNormalization',
  summary:
    '(x - mean) / sqrt(variance + epsilon) * scale + bias, with the mean and variance of each of `groups` equal runs of channels of each sample, and one scale and bias for each channel.',
  inputs: { x: one(...floatTypes), scale: one(...floatTypes), bias: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { groups: int(), epsilon: float(), layout: layoutAttr() },
  constraints: {
    C1: {
      says: 'x has at least two dimensions',
      holds: ({ x }) => !x.shape || x.shape.length >= 2,
    },
    C2: {
      says: 'groups is positive and divides the channels',
      holds: ({ x }, { groups, layout }) => {
        const channels = channelsOf(x, layout);
        return groups > 0 && (typeof channels !== 'number' || channels % groups === 0);
      },
    },
    C3: {
      says: 'scale and bias are vectors over the channels',
      holds: ({ x, scale, bias }, { layout }) =>
        canBe(scale, channelsOf(x, layout)) && canBe(bias, channelsOf(x, layout)),
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x, scale, bias }, { groups, epsilon, layout }) => {
    const rank = x.shape.length;
    const channels = channelAxis(layout, rank);
    const perGroup = x.shape[channels]! / groups;
    const spatial = sizeOf(x.shape) === 0 ? 0 : sizeOf(x.shape) / x.shape[0]! / x.shape[channels]!;
    const { shape, axes } = grouped(
      layout,
      x.shape[0]!,
      groups,
      perGroup,
      layout === 'channelsFirst' ? perGroup * spatial : spatial,
    );
    const data = standardise({ ...x, shape }, axes, epsilon, 'variance');
    scaleAndShift(data, x.shape, alongAxis(scale, channels, rank), alongAxis(bias, channels, rank));
    return { y: { dtype: x.dtype, shape: x.shape, data } };
  },
  layout: spatial,
  rounding: ({ x }, { groups }) => ofTerms(Math.sqrt(sizeOf(x.slice(1)) / groups) / 16 + 4),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 4, 1], [1, 3, -4, 4]),
        scale: tensor('float32', [4], [2, 3, 1, 1]),
        bias: tensor('float32', [4], [0, 5, 0, 1]),
      },
      attrs: { groups: 2, epsilon: 0, layout: 'channelsFirst' },
      outputs: { y: tensor('float32', [1, 4, 1], [-2, 8, -1, 2]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 2, 2], [1, -4, 3, 4]),
        scale: tensor('float32', [2], [2, 3]),
        bias: tensor('float32', [2], [0, 5]),
      },
      attrs: { groups: 2, epsilon: 0, layout: 'channelsLast' },
      outputs: { y: tensor('float32', [1, 2, 2], [-2, 2, 2, 8]) },
    },
  ],
  decompose: ({ x, scale, bias }, { groups, epsilon, layout }, graph) => {
    const own = knownShape(x);
    const channels = channelAxis(layout, own.length);
    const perGroup = staticShape(scale)[0]! / groups;
    const { shape, axes } = grouped<Size>(layout, { axis: 0 }, groups, perGroup, -1);
    const [inGroups, back] = [
      sizesOf(graph, x, shape),
      sizesOf(
        graph,
        x,
        own.map((_, axis) => ({ axis })),
      ),
    ];
    const wide = inType(graph, x, computationType(x.dtype));
    const split = graph.add(
      reshape,
      { x: wide, shape: inGroups.operand },
      { shape: inGroups.attr },
    ).y;
    const standardised = buildStandardised(graph, split, axes, epsilon, 'variance');
    const whole = graph.add(
      reshape,
      { x: standardised, shape: back.operand },
      { shape: back.attr },
    ).y;
    const along = (vector: typeof x) => buildAlongAxis(graph, vector, channels, x);
    return { y: buildScaled(graph, whole, along(scale), along(bias), x.dtype) };
  },
});
