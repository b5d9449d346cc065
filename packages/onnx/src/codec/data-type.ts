import { dtypes as names, type DType } from '@drover/core';
import { DataType } from '../schema/onnx.js';

// prettier-ignore
const dataTypes: Readonly<Record<DType, number>> = {
  float64: DataType.DOUBLE, float32: DataType.FLOAT, float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16, float8e4m3fn: DataType.FLOAT8E4M3FN,
  float8e4m3fnuz: DataType.FLOAT8E4M3FNUZ, float8e5m2: DataType.FLOAT8E5M2,
  float8e5m2fnuz: DataType.FLOAT8E5M2FNUZ, float8e8m0fnu: DataType.FLOAT8E8M0,
  float4e2m1fn: DataType.FLOAT4E2M1, int64: DataType.INT64, int32: DataType.INT32,
  int16: DataType.INT16, int8: DataType.INT8, int4: DataType.INT4, int2: DataType.INT2,
  uint64: DataType.UINT64, uint32: DataType.UINT32, uint16: DataType.UINT16, uint8: DataType.UINT8,
  uint4: DataType.UINT4, uint2: DataType.UINT2, bool: DataType.BOOL, string: DataType.STRING,
  complex64: DataType.COMPLEX64, complex128: DataType.COMPLEX128,
};

const dtypes = new Map(names.map((name) => [dataTypes[name], name]));

/** TensorProto.DataType of an element type. */
export function dataTypeOf(dtype: DType): number {
  return dataTypes[dtype];
}

/**
 * Element type of a TensorProto.DataType; undefined for UNDEFINED, the 6-bit floats of IR 14's
 * draft, and numbers that ONNX does not know.
 */
export function dtypeOf(dataType: number): DType | undefined {
  return dtypes.get(dataType);
}
