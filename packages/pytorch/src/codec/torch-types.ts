import type { DType } from '@drover/core';
import { PickleGlobal, type PickleValue } from './pickle/pickle-value.js';

/** An element type of PyTorch. */
export interface TorchType {
  /** As PyTorch prints it, without `torch.`. */
  readonly name: string;
  /** The type that holds its elements; undefined where there is none. Quantised ones are codes. */
  readonly dtype: DType | undefined;
  /** Bytes that PyTorch counts for one element. */
  readonly bytes: number;
}

const type = (name: string, dtype: DType | undefined, bytes: number): TorchType => ({
  name,
  dtype,
  bytes,
});

// prettier-ignore
const types = [
  type('float32', 'float32', 4), type('float64', 'float64', 8), type('float16', 'float16', 2),
  type('bfloat16', 'bfloat16', 2), type('int64', 'int64', 8), type('int32', 'int32', 4),
  type('int16', 'int16', 2), type('int8', 'int8', 1), type('uint8', 'uint8', 1),
  type('uint16', 'uint16', 2), type('uint32', 'uint32', 4), type('uint64', 'uint64', 8),
  type('bool', 'bool', 1), type('complex64', 'complex64', 8), type('complex128', 'complex128', 16),
  type('complex32', undefined, 4),
  type('float8_e4m3fn', 'float8e4m3fn', 1), type('float8_e4m3fnuz', 'float8e4m3fnuz', 1),
  type('float8_e5m2', 'float8e5m2', 1), type('float8_e5m2fnuz', 'float8e5m2fnuz', 1),
  type('float8_e8m0fnu', 'float8e8m0fnu', 1), type('float4_e2m1fn_x2', undefined, 1),
  type('qint8', 'int8', 1), type('quint8', 'uint8', 1), type('qint32', 'int32', 4),
  type('quint4x2', undefined, 1), type('quint2x4', undefined, 1),
] as const;

const byName: ReadonlyMap<string, TorchType> = new Map(types.map((each) => [each.name, each]));

const aliases: ReadonlyMap<string, string> = new Map([
  ['float', 'float32'],
  ['double', 'float64'],
  ['half', 'float16'],
  ['long', 'int64'],
  ['int', 'int32'],
  ['short', 'int16'],
  ['cfloat', 'complex64'],
  ['cdouble', 'complex128'],
  ['chalf', 'complex32'],
]);

const storages: ReadonlyMap<string, string> = new Map([
  ['FloatStorage', 'float32'],
  ['DoubleStorage', 'float64'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
  ['ComplexFloatStorage', 'complex64'],
  ['ComplexDoubleStorage', 'complex128'],
  ['QInt8Storage', 'qint8'],
  ['QUInt8Storage', 'quint8'],
  ['QInt32Storage', 'qint32'],
  ['QUInt4x2Storage', 'quint4x2'],
  ['QUInt2x4Storage', 'quint2x4'],
  ['UntypedStorage', 'uint8'],
]);

/** The numbers that `.pt2` has for element types; they are not those of c10. */
const serialized: ReadonlyMap<number, string> = new Map([
  [1, 'uint8'],
  [2, 'int8'],
  [3, 'int16'],
  [4, 'int32'],
  [5, 'int64'],
  [6, 'float16'],
  [7, 'float32'],
  [8, 'float64'],
  [9, 'complex32'],
  [10, 'complex64'],
  [11, 'complex128'],
  [12, 'bool'],
  [13, 'bfloat16'],
  [28, 'uint16'],
  [29, 'float8_e4m3fn'],
  [30, 'float8_e5m2'],
  [31, 'float8_e4m3fnuz'],
  [32, 'float8_e5m2fnuz'],
]);

/** The element type that a global names, as `torch.float32`; undefined for any other one. */
export function torchTypeOf(value: PickleValue | undefined): TorchType | undefined {
  if (!(value instanceof PickleGlobal) || value.module !== 'torch') return undefined;
  return byName.get(aliases.get(value.name) ?? value.name);
}

/** The element type of a class of storages (of the CPU, of CUDA, of none); undefined for others. */
export function storageTypeOf(value: PickleValue | undefined): TorchType | undefined {
  if (!(value instanceof PickleGlobal) || !/^torch(\.\w+)?$/.test(value.module)) return undefined;
  return byName.get(storages.get(value.name) ?? '');
}

/** The element type that tensors of a type are written in; undefined where PyTorch has none. */
export const torchTypeFor = (dtype: DType): TorchType | undefined =>
  types.find((each) => each.dtype === dtype);

/** The quantised type whose codes are of a type; undefined where PyTorch has none. */
export const quantisedTypeFor = (dtype: DType): TorchType | undefined => byName.get(`q${dtype}`);

/**
 * The class of storages of a type; undefined for those that came after the classes, of which
 * storages are bytes.
 */
export function storageClassOf({ name }: TorchType): string | undefined {
  for (const [storage, type] of storages) if (type === name) return storage;
  return undefined;
}

/** The element type of a number in a `.pt2`; undefined for those that are not known. */
export function serializedType(number: number): TorchType | undefined {
  return byName.get(serialized.get(number) ?? '');
}
