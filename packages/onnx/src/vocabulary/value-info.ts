import type { Dim, DType, Shape } from '@drover/core';
import { dataTypeOf } from '../codec/data-type.js';
import type { TensorShapeProto_Dimension, ValueInfoProto } from '../schema/onnx.js';

/**
 * A value's declaration in the signature. A dimension that is no single name or number is declared
 * by its text.
 */
export function valueInfo(
  name: string,
  { dtype, shape }: { dtype: DType; shape: Shape | undefined },
): ValueInfoProto {
  const dim = (each: Dim): TensorShapeProto_Dimension =>
    typeof each === 'number'
      ? { dimValue: each }
      : each.key.includes('?')
        ? {}
        : { dimParam: each.key };
  return {
    name,
    type: {
      tensorType: { elemType: dataTypeOf(dtype), ...(shape && { shape: { dim: shape.map(dim) } }) },
    },
  };
}
