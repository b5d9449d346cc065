import { granularityConstraints } from '../constraints/granularity.js';
import { roundHalfToEven } from '../numeric/rounding.js';
import { quantized } from '../numeric/saturate.js';
import { walkScales } from '../numeric/walk-scales.js';
import { floatTypes, isFloat } from '../tensor/dtype.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { bool, dtypeAttr, int, nullable } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { scaled } from './layout.js';
import { ofElement } from './rounding.js';

const codeTypes = [
  ...(['int8', 'uint8', 'int16', 'uint16', 'int4', 'uint4', 'int2', 'uint2'] as const),
  ...(['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float4e2m1fn'] as const),
] as const;

/**
 * Codes of few bits: x / scale, rounded to even, plus the zero point, held within the type. To a
 * float type, x / scale rounded to it.
 */
export const quantizeLinear = defineOp({
  name: 'QuantizeLinear',
  summary:
    'x / scale, rounded half to even, plus zeroPoint, saturated to the range of a type of few bits.',
  inputs: {
    x: one(...floatTypes, 'int32'),
    scale: one(...floatTypes, 'int32'),
    zeroPoint: optional(...codeTypes),
  },
  outputs: { y: one(...codeTypes) },
  attrs: { axis: nullable(int()), blockSize: int(), saturate: bool(), to: dtypeAttr() },
  constraints: {
    ...granularityConstraints,
    C5: {
      says: 'to is a type of codes, and that of zeroPoint',
      holds: ({ zeroPoint }, { to }) =>
        codeTypes.some((dtype) => dtype === to) && (!zeroPoint || zeroPoint.dtype === to),
    },
    C6: { says: 'integer types saturate', holds: (_, { saturate, to }) => saturate || isFloat(to) },
  },
  infer: ({ x }, { to }) => ({ y: { dtype: to, shape: x.shape } }),
  evaluate: ({ x, scale, zeroPoint }, { axis, blockSize, saturate, to }) => {
    const [from, scales, zeros] = [
      toNumbers(x),
      toNumbers(scale),
      zeroPoint && toNumbers(zeroPoint),
    ];
    const data = new Float64Array(sizeOf(x.shape));
    const round = isFloat(to) ? (q: number) => q : roundHalfToEven;
    walkScales(
      x,
      scale,
      { axis, blockSize },
      (at, s) => (data[at] = round(from[at]! / scales[s]!) + (zeros ? zeros[s]! : 0)),
    );
    return { y: { dtype: to, shape: x.shape, data: quantized(data, to, saturate) } };
  },
  layout: scaled,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: {
        x: tensor('float32', [6], [0, 2, 3, 1000, -254, -1000]),
        scale: tensor('float32', [], [2]),
        zeroPoint: tensor('uint8', [], [128]),
      },
      attrs: { axis: null, blockSize: 0, saturate: true, to: 'uint8' },
      outputs: { y: tensor('uint8', [6], [128, 129, 130, 255, 1, 0]) },
    },
    {
      inputs: {
        x: tensor('float32', [2, 2], [1, 3, 4, 20]),
        scale: tensor('float32', [2], [1, 4]),
      },
      attrs: { axis: 1, blockSize: 0, saturate: true, to: 'int4' },
      outputs: { y: tensor('int4', [2, 2], [1, 1, 4, 5]) },
    },
    {
      inputs: { x: tensor('float32', [3], [4, 6, 10]), scale: tensor('float32', [2], [2, 5]) },
      attrs: { axis: 0, blockSize: 2, saturate: true, to: 'int8' },
      outputs: { y: tensor('int8', [3], [2, 3, 2]) },
    },
    {
      inputs: { x: tensor('float32', [2], [1000, 34]), scale: tensor('float32', [], [2]) },
      attrs: { axis: null, blockSize: 0, saturate: true, to: 'float8e4m3fn' },
      outputs: { y: tensor('float8e4m3fn', [2], [448, 16]) },
    },
  ],
});
