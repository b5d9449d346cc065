import { canBe, couldEqual, sameDType } from '../constraints/same-type.js';
import { convolveTransposed } from '../numeric/convolve-transposed.js';
import { meanSquare } from '../numeric/mean-square.js';
import { mulDim } from '../tensor/dim.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { transposedSizes } from '../typing/transposed-convolution.js';
import { channelAxis, settled, shapeIn, spatialOf } from '../typing/window.js';
import { dimsOrOperand, int, ints } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofTerms } from './rounding.js';

/**
 * Transposed convolution (the gradient of Conv), as ONNX ConvTranspose: each x[c, i] adds w[c, o,
 * t] * x[c, i] to y[o, stride * i + dilation * t - begin pad]. The weight is [C, O / groups,
 * kernel…] in either layout.
 *
 * Without `outputSizes` a spatial axis of the result has stride * (size - 1) + outputPadding +
 * dilation * (kernel - 1) + 1 - begin pad - end pad elements. With `outputSizes` it has that size:
 * begin pads hold, end pads and outputPadding are zero and whatever lies behind the end is cut, or
 * is `bias` where nothing was added. A source that derives pads from the size (ONNX output_shape,
 * SAME of TensorFlow) has total = max(stride * (size - 1) + outputPadding + dilation * (kernel - 1)
 * + 1 - output size, 0); its begin pad is floor(total / 2) for SAME of TensorFlow and ONNX
 * SAME_UPPER, ceil(total / 2) for ONNX SAME_LOWER and NOTSET.
 */
export const convTranspose = defineOp({
  name: 'ConvTranspose',
  summary:
    'Transposed convolution of `x` with the filters `w` over its spatial axes, plus `bias` per channel.',
  inputs: {
    x: one(...floatTypes),
    w: one(...floatTypes),
    bias: optional(...floatTypes),
    outputSizes: optional('int64', 'int32'),
  },
  outputs: { y: one(...floatTypes) },
  attrs: {
    layout: layoutAttr(),
    strides: ints(),
    dilations: ints(),
    pads: ints(),
    outputPadding: ints(),
    groups: int(),
    outputSizes: dimsOrOperand('outputSizes'),
  },
  constraints: {
    C1: {
      says: 'x, w and bias have one element type',
      holds: ({ x, w, bias }) => sameDType(x, w, bias),
    },
    C2: {
      says: 'there is at least one spatial axis; strides and dilations are positive, pads and output padding are not negative',
      holds: (_, { strides, dilations, pads, outputPadding }) =>
        strides.length > 0 &&
        [dilations.length, outputPadding.length, pads.length / 2].every(
          (length) => length === strides.length,
        ) &&
        [...strides, ...dilations].every((step) => step > 0) &&
        [...pads, ...outputPadding].every((pad) => pad >= 0),
    },
    C3: {
      says: 'x and w have two dimensions beside the spatial ones',
      holds: ({ x, w }, { strides }) =>
        [x, w].every(({ shape }) => !shape || shape.length === strides.length + 2),
    },
    C4: {
      says: 'groups divide the channels',
      holds: ({ w }, { groups }) =>
        groups > 0 && (typeof w.shape?.[0] !== 'number' || w.shape[0] % groups === 0),
    },
    C5: {
      says: 'channels of x are the first dimension of w',
      holds: ({ x, w }, { layout }) =>
        !x.shape ||
        !w.shape ||
        couldEqual(x.shape[channelAxis(layout, x.shape.length)], w.shape[0]),
    },
    C6: {
      says: 'bias has one element per channel of the result',
      holds: ({ w, bias }, { groups }) => canBe(bias, w.shape && mulDim(w.shape[1]!, groups)),
    },
    C7: {
      says: 'output sizes are an attribute or an operand or neither, not negative, one per spatial axis; with them output padding and end pads are zero',
      holds: ({ outputSizes: operand }, { outputSizes, outputPadding, pads, strides }) =>
        (outputSizes === null || operand === undefined) &&
        canBe(operand, strides.length) &&
        (outputSizes === null ||
          (outputSizes.length === strides.length &&
            outputSizes.every((size) => typeof size !== 'number' || size >= 0))) &&
        ((outputSizes === null && operand === undefined) ||
          [...outputPadding, ...pads.slice(strides.length)].every((pad) => pad === 0)),
    },
    C8: {
      says: 'pads leave a result',
      holds: ({ x, w, outputSizes }, attrs) => {
        if (!x.shape || !w.shape || outputSizes || attrs.outputSizes) return true;
        const from = spatialOf(attrs.layout, x.shape);
        return transposedSizes(from, w.shape.slice(2), attrs).every(
          (size, i) => typeof size !== 'number' || size > 0 || (size === 0 && from[i] === 0),
        );
      },
    },
  },
  infer: ({ x, w, outputSizes: operand }, attrs, { fresh }) => {
    const unknown = Array.from({ length: attrs.strides.length + 2 }, () => fresh('transposed'));
    const from = x.shape ?? unknown;
    const computed =
      x.shape && w.shape && !operand
        ? transposedSizes(spatialOf(attrs.layout, x.shape), w.shape.slice(2), attrs)
        : unknown.slice(2);
    const channels = w.shape ? mulDim(w.shape[1]!, attrs.groups) : unknown[1]!;
    return {
      y: {
        dtype: x.dtype,
        shape: shapeIn(
          attrs.layout,
          from[0]!,
          channels,
          attrs.outputSizes ?? operand?.elements ?? computed,
        ),
      },
    };
  },
  evaluate: ({ x, w, bias, outputSizes: operand }, attrs) => {
    const given = attrs.outputSizes ?? (operand && Array.from(toNumbers(operand)));
    const sizes =
      given ?? transposedSizes(spatialOf(attrs.layout, x.shape), w.shape.slice(2), attrs);
    return { y: convolveTransposed(x, w, bias, settled(sizes), attrs) };
  },
  // Every tap of every channel of a group can meet in one element.
  layout: spatial,
  rounding: ({ w }, { groups, layout }) =>
    ofTerms(
      Math.sqrt(sizeOf(w) / Math.max(w[1]! * groups, 1)) / 2 + 1,
      channelAxis(layout, w.length),
    ),
  termSquares: ({ x, w }, { groups }) =>
    (sizeOf(w.shape) / Math.max(w.shape[1]! * groups, 1)) *
    meanSquare(toNumbers(x)) *
    meanSquare(toNumbers(w)),
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 1, 2], [1, 2]),
        w: tensor('float32', [1, 1, 3], [1, 10, 100]),
        bias: tensor('float32', [1], [0.5]),
      },
      attrs: {
        layout: 'channelsFirst',
        strides: [2],
        dilations: [1],
        pads: [0, 0],
        outputPadding: [0],
        groups: 1,
        outputSizes: null,
      },
      outputs: { y: tensor('float32', [1, 1, 5], [1.5, 10.5, 102.5, 20.5, 200.5]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 2, 1], [1, 2]),
        w: tensor('float32', [1, 1, 3], [1, 10, 100]),
      },
      attrs: {
        layout: 'channelsLast',
        strides: [2],
        dilations: [1],
        pads: [1, 0],
        outputPadding: [0],
        groups: 1,
        outputSizes: [6],
      },
      outputs: { y: tensor('float32', [1, 6, 1], [10, 102, 20, 200, 0, 0]) },
    },
  ],
});
