import type { DType } from '@drover/core';

/** TensorFlow's names of element types (types.proto), by number. */
// prettier-ignore
export const dataTypeNames = [
  'DT_INVALID', 'DT_FLOAT', 'DT_DOUBLE', 'DT_INT32', 'DT_UINT8', 'DT_INT16', 'DT_INT8', 'DT_STRING', 'DT_COMPLEX64', 'DT_INT64', 'DT_BOOL', 'DT_QINT8',
  'DT_QUINT8', 'DT_QINT32', 'DT_BFLOAT16', 'DT_QINT16', 'DT_QUINT16', 'DT_UINT16', 'DT_COMPLEX128', 'DT_HALF', 'DT_RESOURCE', 'DT_VARIANT', 'DT_UINT32',
  'DT_UINT64', 'DT_FLOAT8_E5M2', 'DT_FLOAT8_E4M3FN', 'DT_FLOAT8_E4M3FNUZ', 'DT_FLOAT8_E4M3B11FNUZ', 'DT_FLOAT8_E5M2FNUZ', 'DT_INT4', 'DT_UINT4', 'DT_INT2',
  'DT_UINT2', 'DT_FLOAT4_E2M1FN',
] as const;

/** Name of an element type, e.g. `DT_FLOAT`, or `DT_FLOAT_REF` for a reference (TF 1 variables). */
export type DataType = (typeof dataTypeNames)[number] | `${(typeof dataTypeNames)[number]}_REF`;

const numbers: ReadonlyMap<string, number> = new Map(
  dataTypeNames.flatMap((name, i) =>
    i === 0 ? [[name, 0] as const] : [[name, i] as const, [`${name}_REF`, 100 + i] as const],
  ),
);

/** The type of a number in a file; references are 100 higher. */
export function dataTypeOfNumber(value: number): DataType | undefined {
  const name = dataTypeNames[value > 100 ? value - 100 : value];
  return name === undefined ? undefined : value > 100 ? `${name}_REF` : name;
}

/** Whether a text names a type. */
export function isDataType(name: string): name is DataType {
  return numbers.has(name);
}

const pairs: readonly (readonly [DataType, DType])[] = [
  ['DT_FLOAT', 'float32'],
  ['DT_DOUBLE', 'float64'],
  ['DT_HALF', 'float16'],
  ['DT_BFLOAT16', 'bfloat16'],
  ['DT_FLOAT8_E5M2', 'float8e5m2'],
  ['DT_FLOAT8_E4M3FN', 'float8e4m3fn'],
  ['DT_FLOAT8_E4M3FNUZ', 'float8e4m3fnuz'],
  ['DT_FLOAT8_E5M2FNUZ', 'float8e5m2fnuz'],
  ['DT_FLOAT4_E2M1FN', 'float4e2m1fn'],
  ['DT_INT64', 'int64'],
  ['DT_INT32', 'int32'],
  ['DT_INT16', 'int16'],
  ['DT_INT8', 'int8'],
  ['DT_INT4', 'int4'],
  ['DT_INT2', 'int2'],
  ['DT_UINT64', 'uint64'],
  ['DT_UINT32', 'uint32'],
  ['DT_UINT16', 'uint16'],
  ['DT_UINT8', 'uint8'],
  ['DT_UINT4', 'uint4'],
  ['DT_UINT2', 'uint2'],
  ['DT_BOOL', 'bool'],
  ['DT_STRING', 'string'],
  ['DT_COMPLEX64', 'complex64'],
  ['DT_COMPLEX128', 'complex128'],
];
const dtypes: ReadonlyMap<string, DType> = new Map(pairs);
const dataTypes = new Map(pairs.map(([name, dtype]) => [dtype, name]));

/**
 * The element type in Drover's names, of a plain type or a reference; undefined for handles,
 * variants and quantised types, which carry no plain numbers.
 */
export function dtypeOf(name: DataType): DType | undefined {
  return dtypes.get(name.replace(/_REF$/, ''));
}

/** TensorFlow's name of an element type; undefined where it has none. */
export function dataTypeOf(dtype: DType): DataType | undefined {
  return dataTypes.get(dtype);
}
