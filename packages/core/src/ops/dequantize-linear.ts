import { granularityConstraints } from '../constraints/granularity.js';
import { walkScales } from '../numeric/walk-scales.js';
import { floatTypes } from '../tensor/dtype.js';
import { sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { int, nullable } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { scaled } from './layout.js';
import { ofElement } from './rounding.js';

const codeTypes = [
  ...(['int8', 'uint8', 'int16', 'uint16', 'int32', 'int4', 'uint4', 'int2', 'uint2'] as const),
  ...(['float8e4m3fn', 'float8e4m3fnuz', 'float8e5m2', 'float8e5m2fnuz', 'float4e2m1fn'] as const),
] as const;

/** Numbers from codes: (x - zeroPoint) scale. */
export const dequantizeLinear = defineOp({
  name: 'DequantizeLinear',
  summary: '(x - zeroPoint) scale, in the type of scale.',
  inputs: { x: one(...codeTypes), scale: one(...floatTypes), zeroPoint: optional(...codeTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { axis: nullable(int()), blockSize: int() },
  constraints: {
    ...granularityConstraints,
    C5: {
      says: 'x and zeroPoint have one element type',
      holds: ({ x, zeroPoint }) => !zeroPoint || zeroPoint.dtype === x.dtype,
    },
  },
  infer: ({ x, scale }) => ({ y: { dtype: scale.dtype, shape: x.shape } }),
  evaluate: ({ x, scale, zeroPoint }, granularity) => {
    const [from, scales, zeros] = [
      toNumbers(x),
      toNumbers(scale),
      zeroPoint && toNumbers(zeroPoint),
    ];
    const data = new Float64Array(sizeOf(x.shape));
    walkScales(
      x,
      scale,
      granularity,
      (at, s) => (data[at] = (from[at]! - (zeros ? zeros[s]! : 0)) * scales[s]!),
    );
    return { y: { dtype: scale.dtype, shape: x.shape, data } };
  },
  layout: scaled,
  rounding: () => ofElement(1),
  examples: [
    {
      inputs: {
        x: tensor('uint8', [4], [0, 3, 128, 255]),
        scale: tensor('float32', [], [2]),
        zeroPoint: tensor('uint8', [], [128]),
      },
      attrs: { axis: null, blockSize: 0 },
      outputs: { y: tensor('float32', [4], [-256, -250, 0, 254]) },
    },
    {
      inputs: {
        x: tensor('int8', [2, 2], [1, 2, 3, 4]),
        scale: tensor('float32', [2], [0.5, 4]),
        zeroPoint: tensor('int8', [2], [1, 0]),
      },
      attrs: { axis: 0, blockSize: 0 },
      outputs: { y: tensor('float32', [2, 2], [0, 0.5, 12, 16]) },
    },
    {
      inputs: {
        x: tensor('int8', [2, 3], [1, 2, 3, 4, 5, 6]),
        scale: tensor('float32', [2, 2], [1, 10, 100, 1000]),
      },
      attrs: { axis: 1, blockSize: 2 },
      outputs: { y: tensor('float32', [2, 3], [1, 2, 30, 400, 500, 6000]) },
    },
  ],
});
