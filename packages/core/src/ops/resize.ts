import { canBe } from '../constraints/same-type.js';
import { resample } from '../numeric/resample.js';
import type { Dim } from '../tensor/dim.js';
import { dtypes, isFloat } from '../tensor/dtype.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { bool, dimsOrOperand, float, floatList, ints, nullable, oneOf } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { resampling } from './layout.js';
import { exact, ofTerms } from './rounding.js';

/**
 * What coordinates along an axis lose in float32, times the slope of the data: about their size in
 * units in the last place, and nothing where the scale is a power of two.
 */
function coordinateUlp(from: number, to: number | undefined): number {
  return to !== undefined && Number.isInteger(Math.log2(to / from)) ? 0 : from / 2;
}

/**
 * Resampling along the given axes, one after the other, as ONNX Resize-19. `sizes` are those of the
 * result; `scales`, where the source states them, serve for the coordinates only (else the scale is
 * size of the result / size of x). Position i of the result stands for this position of x, n and m
 * being the sizes of x and of the result:
 *
 * - halfPixel: (i + 0.5) / scale - 0.5
 * - halfPixelSymmetric: the same, moved by n / 2 * (1 - m / (n * scale)), so that the centres
 *   coincide where n * scale is not an integer
 * - pytorchHalfPixel: the same as halfPixel, and 0 where m is 1
 * - alignCorners: i * (n - 1) / (m - 1), and 0 where m is 1
 * - asymmetric: i / scale
 * - tfHalfPixelNearest: (i + 0.5) / scale, which is what TensorFlow's nearest neighbour with half
 *   pixel centres floors
 *
 * Positions outside x read its edge; `cubic` and antialiased filters with `excludeOutside` leave
 * such taps out and scale the others up. `antialias` stretches the filter by 1 / scale where that
 * is more than 1. `nearest` says how nearest rounds, and `cubicCoefficient` is the a of Keys'
 * kernel; other modes ignore them.
 */
export const resize = defineOp({
  name: 'Resize',
  summary: 'Resamples `x` along some axes to the given sizes.',
  inputs: { x: one(...dtypes), sizes: optional('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: {
    axes: ints(),
    mode: oneOf('nearest', 'linear', 'cubic'),
    coordinates: oneOf(
      'halfPixel',
      'halfPixelSymmetric',
      'pytorchHalfPixel',
      'alignCorners',
      'asymmetric',
      'tfHalfPixelNearest',
    ),
    nearest: oneOf('roundPreferFloor', 'roundPreferCeil', 'floor', 'ceil'),
    cubicCoefficient: float(),
    excludeOutside: bool(),
    antialias: bool(),
    sizes: dimsOrOperand('sizes'),
    scales: nullable(floatList()),
  },
  constraints: {
    C1: {
      says: 'axes are different and below the rank of x',
      holds: ({ x }, { axes }) =>
        new Set(axes).size === axes.length &&
        axes.every((axis) => axis >= 0 && (!x.shape || axis < x.shape.length)),
    },
    C2: {
      says: 'sizes are an attribute or an operand, not negative, one per axis',
      holds: ({ sizes: operand }, { axes, sizes }) =>
        (sizes === null) === (operand !== undefined) &&
        canBe(operand, axes.length) &&
        (sizes === null ||
          (sizes.length === axes.length &&
            sizes.every((size) => typeof size !== 'number' || size >= 0))),
    },
    C3: {
      says: 'scales, where given, are positive and finite, one per axis',
      holds: (_, { axes, scales }) =>
        scales === null ||
        (scales.length === axes.length &&
          scales.every((scale) => scale > 0 && Number.isFinite(scale))),
    },
    C4: {
      says: 'only floats are interpolated',
      holds: ({ x }, { mode }) => mode === 'nearest' || isFloat(x.dtype),
    },
    C5: {
      says: 'nearest takes single elements: nothing to antialias',
      holds: (_, { mode, antialias }) => mode !== 'nearest' || !antialias,
    },
    C6: {
      says: 'an axis without elements stays so',
      holds: ({ x }, { axes, sizes }) =>
        !x.shape ||
        axes.every(
          (axis, i) => x.shape![axis] !== 0 || typeof sizes?.[i] !== 'number' || sizes[i] === 0,
        ),
    },
    C7: {
      says: 'scales, where given, lead to the sizes within one element',
      holds: ({ x }, { axes, sizes, scales }) =>
        axes.every((axis, i) => {
          const [from, to, scale] = [x.shape?.[axis], sizes?.[i], scales?.[i]];
          return (
            typeof from !== 'number' ||
            typeof to !== 'number' ||
            scale === undefined ||
            Math.abs(from * scale - to) <= 1
          );
        }),
    },
  },
  infer: ({ x, sizes: operand }, { axes, sizes }, { fresh }) => {
    const given = sizes ?? operand?.elements;
    const resized = (dim: Dim, axis: number) =>
      axes.includes(axis) ? (given?.[axes.indexOf(axis)] ?? fresh('resize')) : dim;
    return { y: { dtype: x.dtype, shape: x.shape?.map(resized) } };
  },
  evaluate: ({ x, sizes: operand }, attrs) => ({
    y: resample(x, attrs.sizes ?? Array.from(toNumbers(operand!)), attrs),
  }),
  layout: resampling,
  rounding: ({ x, sizes: operand }, { mode, axes, sizes }) => {
    if (mode === 'nearest') return exact();
    // The taps of a cubic are polynomials of the coordinate.
    const taps = mode === 'cubic' ? 12 : 3;
    return ofTerms(
      axes.reduce(
        (sum, axis, i) => sum + taps + coordinateUlp(x[axis]!, operand ? undefined : sizes?.[i]),
        0,
      ),
    );
  },
  examples: [
    {
      inputs: { x: tensor('float32', [1, 2], [1, 2]) },
      attrs: {
        axes: [1],
        mode: 'linear',
        coordinates: 'halfPixel',
        nearest: 'floor',
        cubicCoefficient: -0.75,
        excludeOutside: false,
        antialias: false,
        sizes: [4],
        scales: null,
      },
      outputs: { y: tensor('float32', [1, 4], [1, 1.25, 1.75, 2]) },
    },
    {
      inputs: { x: tensor('int32', [3], [10, 20, 30]) },
      attrs: {
        axes: [0],
        mode: 'nearest',
        coordinates: 'asymmetric',
        nearest: 'floor',
        cubicCoefficient: -0.75,
        excludeOutside: false,
        antialias: false,
        sizes: [6],
        scales: [2],
      },
      outputs: { y: tensor('int32', [6], [10, 10, 20, 20, 30, 30]) },
    },
  ],
});
