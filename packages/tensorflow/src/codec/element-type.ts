import { bitsOf, type DType } from '@drover/core';
import { dataTypeNames, dataTypeOf, dtypeOf, type DataType } from '@drover/graphdef/codec';

/** The plain types that hold the codes of quantised ones; `_REF` are variables of TensorFlow 1. */
const codeTypes: ReadonlyMap<DataType, DType> = new Map([
  ['DT_QINT8', 'int8'],
  ['DT_QINT8_REF', 'int8'],
  ['DT_QUINT8', 'uint8'],
  ['DT_QUINT8_REF', 'uint8'],
  ['DT_QINT16', 'int16'],
  ['DT_QINT16_REF', 'int16'],
  ['DT_QUINT16', 'uint16'],
  ['DT_QUINT16_REF', 'uint16'],
  ['DT_QINT32', 'int32'],
  ['DT_QINT32_REF', 'int32'],
]);

/** Whether elements of a type are codes of a quantisation. */
export const isQuantised = (type: DataType): boolean => codeTypes.has(type);

/**
 * The type under which elements are read; undefined for those that have no form here: variants,
 * resources, one of the eight-bit floats.
 */
export const elementTypeOf = (type: DataType): DType | undefined =>
  dtypeOf(type) ?? codeTypes.get(type);

/** The number of the type under which elements are written; undefined where there is none. */
export function typeNumberOf(dtype: DType): number | undefined {
  const type = dataTypeOf(dtype);
  return type === undefined ? undefined : dataTypeNames.findIndex((name) => name === type);
}

/** Bytes of one element in a weight file, where types of fewer than eight bits have one. */
export const storedBytes = (dtype: DType): number => Math.ceil(bitsOf(dtype) / 8);

/** Bytes of the numbers that an element is made of: the halves of a complex one. */
export const unitBytes = (dtype: DType): number =>
  dtype.startsWith('complex') ? storedBytes(dtype) / 2 : storedBytes(dtype);
