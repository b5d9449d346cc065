import {
  ByteHandle,
  bytesOf,
  decodeTensor,
  isFloat,
  sizeOf,
  Weight,
  type DType,
} from '@drover/core';
import { bigEndian } from '@drover/core/format';
import {
  LongText,
  PickleFloat,
  PickleObject,
  PickleSequence,
  type PickleValue,
} from './pickle/pickle-value.js';

// prettier-ignore
const dtypes: ReadonlyMap<string, DType> = new Map([
  ['f2', 'float16'], ['f4', 'float32'], ['f8', 'float64'],
  ['i1', 'int8'], ['i2', 'int16'], ['i4', 'int32'], ['i8', 'int64'],
  ['u1', 'uint8'], ['u2', 'uint16'], ['u4', 'uint32'], ['u8', 'uint64'],
  ['b1', 'bool'], ['c8', 'complex64'], ['c16', 'complex128'],
]);
const inMultiarray = /^numpy\.(core|_core)\.multiarray\.(_reconstruct|scalar)$/;
const inNumeric = /^numpy\.(core|_core)\.numeric\._frombuffer$/;

/** What a record of NumPy's holds: an array of numbers, a single one, or neither. */
export type NumpyValue =
  | { readonly kind: 'array'; weight(name: string): Weight }
  | { readonly kind: 'scalar'; readonly value: number | bigint | boolean | PickleFloat };

interface ElementType {
  readonly dtype: DType;
  readonly isBigEndian: boolean;
}

/**
 * What a record stands for that NumPy pickled, under the names of NumPy 1 and 2; undefined for
 * anything else, and for arrays of what is no number.
 */
export function numpyValueOf(record: PickleObject): NumpyValue | undefined {
  const { path } = record.type;
  if (inNumeric.test(path)) {
    const [bytes, type, shape, order] = record.args;
    return arrayOf(typeOf(type), shape, order === 'F', rawBytesOf(bytes));
  }
  const [, , kind] = inMultiarray.exec(path) ?? [];
  if (kind === 'scalar') {
    const type = typeOf(record.args[0]);
    const bytes = rawBytesOf(record.args[1]);
    if (!type || !bytes || bytes.length !== bytesOf(type.dtype, 1)) return undefined;
    const { data } = decodeTensor(type.isBigEndian ? bytes.toReversed() : bytes, type.dtype, []);
    const first = (data as ArrayLike<number | bigint>)[0];
    if (type.dtype.startsWith('complex') || first === undefined) return undefined;
    if (isFloat(type.dtype)) return { kind: 'scalar', value: new PickleFloat(Number(first)) };
    return { kind: 'scalar', value: type.dtype === 'bool' ? Boolean(first) : first };
  }
  if (kind !== '_reconstruct' || !(record.state instanceof PickleSequence)) return undefined;
  const [shape, type, isFortran, bytes] = record.state.items.slice(-4);
  return arrayOf(typeOf(type), shape, isFortran === true, rawBytesOf(bytes));
}

/** Bytes, also as Python writes them in pickles of protocol 2: text of which each letter is one. */
export function rawBytesOf(value: PickleValue | undefined): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (!(value instanceof PickleObject)) return undefined;
  const { path } = value.type;
  const [first, second] = value.args;
  if (/^(builtins|__builtin__)\.(bytes|bytearray)$/.test(path))
    return value.args.length === 0
      ? new Uint8Array(0)
      : (rawBytesOf(first) ?? latin1(first, second));
  return path === '_codecs.encode' ? latin1(first, second) : undefined;
}

function latin1(value: PickleValue | undefined, encoding: PickleValue | undefined) {
  if (encoding !== 'latin1' && encoding !== 'latin-1') return undefined;
  if (value instanceof LongText) return fromUtf8(value.utf8);
  if (typeof value !== 'string') return undefined;
  const bytes = new Uint8Array(value.length);
  for (let i = 0; i < value.length; i++) bytes[i] = value.charCodeAt(i);
  return bytes;
}

/** The letters of UTF-8 of which none is above U+00FF, one byte each. */
function fromUtf8(utf8: Uint8Array): Uint8Array {
  const out = new Uint8Array(utf8.length);
  let length = 0;
  for (let at = 0; at < utf8.length; at++) {
    const lead = utf8[at]!;
    out[length++] = lead < 0x80 ? lead : ((lead & 3) << 6) | (utf8[++at]! & 63);
  }
  return out.subarray(0, length);
}

/** `numpy.dtype('f4', False, True)` with the state `(3, '<', …)`. */
function typeOf(value: PickleValue | undefined): ElementType | undefined {
  if (!(value instanceof PickleObject) || value.type.path !== 'numpy.dtype') return undefined;
  const [code] = value.args;
  const order = value.state instanceof PickleSequence ? value.state.items[1] : undefined;
  const [, sign, plain] = /^([<>|=]?)(\w+)$/.exec(String(code)) ?? [];
  const dtype = dtypes.get(plain ?? '');
  return dtype && { dtype, isBigEndian: order === '>' || sign === '>' };
}

function arrayOf(
  type: ElementType | undefined,
  dims: PickleValue | undefined,
  isFortran: boolean,
  bytes: Uint8Array | undefined,
): NumpyValue | undefined {
  if (!type || !bytes || !(dims instanceof PickleSequence)) return undefined;
  const shape = dims.items.map(Number);
  const { dtype, isBigEndian } = type;
  const isShape = shape.length <= 64 && shape.every((dim) => Number.isSafeInteger(dim) && dim >= 0);
  if (!isShape || bytesOf(dtype, sizeOf(shape)) !== bytes.length) return undefined;
  const unit = bytesOf(dtype, 1) / (dtype.startsWith('complex') ? 2 : 1);
  const stored = ByteHandle.of(bytes);
  const handle = isBigEndian && unit > 1 ? stored.decoded(bigEndian(unit), bytes.length) : stored;
  const axes = shape.map((_, axis) => shape.length - 1 - axis);
  return {
    kind: 'array',
    weight: (name) =>
      isFortran
        ? Weight.stored(dtype, shape.toReversed(), name, handle).transpose(axes)
        : Weight.stored(dtype, shape, name, handle),
  };
}
