import { canBe, couldEqual, sameDType } from '../constraints/same-type.js';
import { slides, windowFits } from '../constraints/sliding.js';
import { convolve } from '../numeric/convolve.js';
import { convolutionSquares } from '../numeric/term-squares.js';
import { mulDim } from '../tensor/dim.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor } from '../tensor/tensor.js';
import { channelAxis, shapeIn, spatialOf, windowCounts } from '../typing/window.js';
import { int, ints } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { layoutAttr, paddingAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofTerms } from './rounding.js';

/**
 * Cross-correlation over any number of spatial axes, as ONNX Conv: y[o] = bias[o] + sum over the
 * channels c of o's group and taps t of w[o, c, t] * x[c, stride * position + dilation * t - begin
 * pad]. The weight is [O, C / groups, kernel…] in either layout; `pads` are all begins and then all
 * ends, zero unless `padding` is explicit.
 */
export const conv = defineOp({
  name: 'Conv',
  summary:
    'Cross-correlation of `x` with the filters `w` over its spatial axes, plus `bias` per channel.',
  inputs: { x: one(...floatTypes), w: one(...floatTypes), bias: optional(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: {
    layout: layoutAttr(),
    strides: ints(),
    dilations: ints(),
    padding: paddingAttr(),
    pads: ints(),
    groups: int(),
  },
  constraints: {
    C1: {
      says: 'operands have one element type',
      holds: ({ x, w, bias }) => sameDType(x, w, bias),
    },
    C2: {
      says: 'there is at least one spatial axis, with a positive stride and dilation each; pads are not negative, and zero unless explicit',
      holds: (_, attrs) => slides(attrs.strides.length, attrs),
    },
    C3: {
      says: 'x and w have two dimensions beside the spatial ones',
      holds: ({ x, w }, { strides }) =>
        [x, w].every(({ shape }) => !shape || shape.length === strides.length + 2),
    },
    C4: {
      says: 'groups divide the filters',
      holds: ({ w }, { groups }) =>
        groups > 0 && (typeof w.shape?.[0] !== 'number' || w.shape[0] % groups === 0),
    },
    C5: {
      says: 'channels of x are groups times channels of w',
      holds: ({ x, w }, { layout, groups }) =>
        !x.shape ||
        !w.shape ||
        couldEqual(x.shape[channelAxis(layout, x.shape.length)], mulDim(w.shape[1]!, groups)),
    },
    C6: {
      says: 'bias has one element per filter',
      holds: ({ w, bias }) => canBe(bias, w.shape?.[0]),
    },
    C7: {
      says: 'the kernel fits into the padded input',
      holds: ({ x, w }, attrs) =>
        !x.shape ||
        !w.shape ||
        windowFits(spatialOf(attrs.layout, x.shape), w.shape.slice(2), attrs),
    },
  },
  infer: ({ x, w }, attrs, { fresh }) => {
    const unknown = Array.from({ length: attrs.strides.length + 2 }, () => fresh('conv'));
    const [from, filters] = [x.shape ?? unknown, w.shape];
    const sizes =
      x.shape && filters
        ? windowCounts(spatialOf(attrs.layout, from), filters.slice(2), attrs)
        : unknown.slice(2);
    return {
      y: {
        dtype: x.dtype,
        shape: shapeIn(attrs.layout, from[0]!, filters?.[0] ?? unknown[1]!, sizes),
      },
    };
  },
  evaluate: ({ x, w, bias }, attrs) => ({ y: convolve(x, w, bias, attrs) }),
  layout: spatial,
  rounding: ({ w }) => ofTerms(Math.sqrt(sizeOf(w.slice(1))) / 2 + 1),
  termSquares: ({ x, w }, attrs, result) => convolutionSquares(x, w, result, attrs),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 1, 3, 3], [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        w: tensor('float32', [1, 1, 2, 2], [1, 0, 0, 1]),
        bias: tensor('float32', [1], [10]),
      },
      attrs: {
        layout: 'channelsFirst',
        strides: [1, 1],
        dilations: [1, 1],
        padding: 'explicit',
        pads: [0, 0, 0, 0],
        groups: 1,
      },
      outputs: { y: tensor('float32', [1, 1, 2, 2], [16, 18, 22, 24]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 3, 2], [1, 10, 2, 20, 3, 30]),
        w: tensor('float32', [2, 1, 2], [1, 1, 1, -1]),
      },
      attrs: {
        layout: 'channelsLast',
        strides: [2],
        dilations: [1],
        padding: 'sameUpper',
        pads: [0, 0],
        groups: 2,
      },
      outputs: { y: tensor('float32', [1, 2, 2], [3, -10, 3, 30]) },
    },
  ],
});
