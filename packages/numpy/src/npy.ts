import { bytesOf, decodeTensor, encodeTensor, sizeOf, type DType, type Tensor } from '@drover/core';
import { numpyDiagnostics } from './diagnostics.js';

// prettier-ignore
const dtypes: ReadonlyMap<string, DType> = new Map(Object.entries({
  f2: 'float16', f4: 'float32', f8: 'float64', i1: 'int8', i2: 'int16', i4: 'int32', i8: 'int64',
  u1: 'uint8', u2: 'uint16', u4: 'uint32', u8: 'uint64', b1: 'bool', c8: 'complex64', c16: 'complex128',
}));
const codes = new Map([...dtypes].map(([code, dtype]) => [dtype, code]));
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Whether bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/**
 * Decodes a `.npy` file of version 1, 2 or 3: plain numbers, bool, complex and text (`S`, `U`),
 * either byte order, C or Fortran order. Throws `numpy/format`, `numpy/size`, `numpy/dtype`.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export function decodeNpy(bytes: Uint8Array, file: string): Tensor {
  const { descr, fortran, shape, start } = readHeader(bytes, file);
  const [, order, kind, width] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr) ?? [];
  const dtype = dtypes.get(`${kind}${width}`);
  const text = kind === 'U' || kind === 'S';
  if (dtype === undefined && !text) {
    throw numpyDiagnostics.error('dtype', {
      message: `The element type ${JSON.stringify(descr)} cannot be read.`,
      origin: { file, offset: 10 },
    });
  }
  const count = sizeOf(shape);
  const itemBytes = dtype ? bytesOf(dtype, 1) : Number(width) * (kind === 'U' ? 4 : 1);
  const wanted = count * itemBytes;
  if (
    !Number.isSafeInteger(wanted) ||
    bytes.length - start !== wanted ||
    !Number.isSafeInteger(count) ||
    (text && itemBytes === 0 && count > 1e6)
  ) {
    const message = `${bytes.length - start} bytes of data are not ${descr}[${shape.join(', ')}].`;
    throw numpyDiagnostics.error('size', { message, origin: { file, offset: start } });
  }
  const swapBytes = kind === 'c' ? itemBytes / 2 : kind === 'U' ? 4 : itemBytes;
  const data =
    order === '>' && kind !== 'S'
      ? swapped(bytes.subarray(start), swapBytes)
      : bytes.subarray(start);
  const read: Tensor = dtype
    ? decodeTensor(data, dtype, shape)
    : { dtype: 'string', shape, data: decodeText(data, count, itemBytes, kind === 'U', file) };
  return fortran ? fromFortranOrder(read) : read;
}

function readHeader(
  bytes: Uint8Array,
  file: string,
): { descr: string; fortran: boolean; shape: number[]; start: number } {
  const broken = (why: string, offset: number) =>
    numpyDiagnostics.error('format', { message: `${why} in ${file}.`, origin: { file, offset } });
  if (!isNpy(bytes) || bytes.length < 10) throw broken('There is no NumPy array', 0);
  const major = bytes[6]!;
  if (major < 1 || major > 3 || (major > 1 && bytes.length < 12))
    throw broken(`There is no header of a known version (${major})`, 6);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = major === 1 ? 10 : 12;
  const start = at + (major === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) throw broken('The header is cut off', 8);
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(
    bytes.subarray(at, start),
  );
  const [, descr] = /'descr':\s*'([^']*)'/.exec(header) ?? [];
  const [, order] = /'fortran_order':\s*(True|False)/.exec(header) ?? [];
  const [, dims] = /'shape':\s*\(([0-9, ]*)\)/.exec(header) ?? [];
  if (descr === undefined && /'descr':\s*\[/.test(header)) {
    throw numpyDiagnostics.error('dtype', {
      message: `${file} holds records, not one plain type.`,
      origin: { file, offset: at },
    });
  }
  if (descr === undefined || order === undefined || dims === undefined)
    throw broken('The header lacks descr, fortran_order or shape', at);
  const shape = dims.split(',').flatMap((dim) => (dim.trim() === '' ? [] : [Number(dim)]));
  if (shape.length > 64 || !shape.every(Number.isSafeInteger))
    throw broken('The shape is impossible', at);
  return { descr, fortran: order === 'True', shape, start };
}

function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width)
    for (let i = 0; i < width; i++) out[at + i] = bytes[at + width - 1 - i]!;
  return out;
}

function decodeText(
  bytes: Uint8Array,
  count: number,
  itemBytes: number,
  wide: boolean,
  file: string,
): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out: string[] = [];
  for (let i = 0; i < count; i++) {
    let text = '';
    if (wide) {
      for (let at = i * itemBytes; at < (i + 1) * itemBytes; at += 4) {
        const code = view.getUint32(at, true);
        if (code > 0x10ffff)
          throw numpyDiagnostics.error('format', {
            message: `${code} is not a character.`,
            origin: { file, offset: at },
          });
        text += String.fromCodePoint(code);
      }
    } else text = new TextDecoder().decode(bytes.subarray(i * itemBytes, (i + 1) * itemBytes));
    // NumPy pads with NUL, and cannot tell trailing NULs from padding either.
    let end = text.length;
    while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
    out.push(text.slice(0, end));
  }
  return out;
}

/** The elements in C order, when they were stored with the first axis innermost. */
function fromFortranOrder({ dtype, shape, data }: Tensor): Tensor {
  const lanes = dtype.startsWith('complex') ? 2 : 1;
  const strides = shape.map((_, axis) => sizeOf(shape.slice(0, axis)));
  const count = sizeOf(shape);
  const from = new Float64Array(count);
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < count; i++) {
    from[i] = index.reduce((sum, position, axis) => sum + position * strides[axis]!, 0);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--)
      index[axis] = 0;
  }
  if (Array.isArray(data))
    return { dtype, shape, data: Array.from(from, (at) => (data as readonly string[])[at]!) };
  const source = data as Exclude<Tensor['data'], readonly string[]>;
  const out = source.slice();
  for (let i = 0; i < count; i++)
    for (let lane = 0; lane < lanes; lane++)
      out[i * lanes + lane] = source[from[i]! * lanes + lane]!;
  return { dtype, shape, data: out };
}

/**
 * Encodes a tensor as a `.npy` file of version 1.0, little-endian, C order, its data aligned to 64
 * bytes: as NumPy writes it. Text becomes `U`. Throws `numpy/dtype` for the types that NumPy lacks
 * (bfloat16, float8, 4- and 2-bit integers).
 */
export function encodeNpy(tensor: Tensor): Uint8Array {
  const { descr, data } = body(tensor);
  const shape = `(${tensor.shape.join(', ')}${tensor.shape.length === 1 ? ',' : ''})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const out = new Uint8Array(length + data.length);
  out.set([...magic, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  out.set(new TextEncoder().encode(`${dictionary.padEnd(length - 11)}\n`), 10);
  out.set(data, length);
  return out;
}

function body(tensor: Tensor): { descr: string; data: Uint8Array } {
  if (tensor.dtype === 'string') return encodeText(tensor.data as readonly string[]);
  const code = codes.get(tensor.dtype);
  if (code === undefined) {
    throw numpyDiagnostics.error('dtype', {
      message: `NumPy has no type for ${tensor.dtype}.`,
      help: 'Cast to float32 or int8 first.',
      origin: { file: '' },
    });
  }
  return { descr: (bytesOf(tensor.dtype, 1) === 1 ? '|' : '<') + code, data: encodeTensor(tensor) };
}

function encodeText(values: readonly string[]): { descr: string; data: Uint8Array } {
  const points = values.map((value) => Array.from(value, (character) => character.codePointAt(0)!));
  const width = points.reduce((most, text) => Math.max(most, text.length), 1);
  const data = new Uint32Array(width * values.length);
  points.forEach((text, i) => data.set(text, i * width));
  return { descr: `<U${width}`, data: new Uint8Array(data.buffer) };
}
