import {
  ByteHandle,
  bytesOf,
  sizeOf,
  tensor,
  Weight,
  type DroverError,
  type DType,
} from '@drover/core';
import { allocateBytes, bigEndian, encodeStrings } from '@drover/core/format';
import { numpyDiagnostics } from '../diagnostics.js';

// prettier-ignore
const dtypes: ReadonlyMap<string, DType> = new Map([
  ['f2', 'float16'], ['f4', 'float32'], ['f8', 'float64'],
  ['i1', 'int8'], ['i2', 'int16'], ['i4', 'int32'], ['i8', 'int64'],
  ['u1', 'uint8'], ['u2', 'uint16'], ['u4', 'uint32'], ['u8', 'uint64'],
  ['b1', 'bool'], ['c8', 'complex64'], ['c16', 'complex128'],
  // Raw elements, as ml_dtypes, and so JAX, stores it. NumPy itself takes them for no numbers.
  ['V2', 'bfloat16'],
]);
const codes = new Map([...dtypes].map(([code, dtype]) => [dtype, code]));
const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
/** Bytes of the longest header that is read. NumPy's own limit is 10,000. */
const maxHeaderBytes = 2 ** 16;
/** Empty texts take no bytes, so that nothing in the file bounds how many there are. */
const maxEmptyTexts = 1e6;

/** Whether bytes begin as a `.npy` file does. */
export function isNpy(bytes: Uint8Array): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/**
 * Opens a `.npy` file of version 1, 2 or 3: plain numbers, bool, complex and text (`S`, `U`),
 * either byte order, C or Fortran order. Raw elements of two bytes (`V2`) are taken for bfloat16,
 * which ml_dtypes writes so. Numbers stay where they are until they are asked for; text is read.
 * `name` is the source's name for the array, `file` what messages name. Throws `numpy/format`,
 * `numpy/size`, `numpy/dtype`, `numpy/text`.
 * @see https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
export async function openNpy(npy: ByteHandle, name: string, file: string): Promise<Weight> {
  const { descr, fortran, shape, data } = await readHeader(npy, file);
  const [, order, kind, width] = /^([<>|=])([a-zA-Z])(\d+)$/.exec(descr) ?? [];
  const dtype = dtypes.get(`${kind}${width}`);
  const isText = kind === 'U' || kind === 'S';
  if (dtype === undefined && !isText) {
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
    data.length !== wanted ||
    !Number.isSafeInteger(count) ||
    (isText && itemBytes === 0 && count > maxEmptyTexts)
  ) {
    const message = `${data.length} bytes of data are not ${descr}[${shape.join(', ')}].`;
    throw numpyDiagnostics.error('size', {
      message,
      origin: { file, offset: npy.length - data.length },
    });
  }
  const unit = kind === 'c' ? itemBytes / 2 : kind === 'U' ? 4 : itemBytes;
  const isSwapped = order === '>' && kind !== 'S' && kind !== 'V' && unit > 1;
  const bytes = isSwapped ? data.decoded(bigEndian(unit), wanted) : data;
  const axes = shape.map((_, axis) => shape.length - 1 - axis);
  // Stored with the first axis innermost: the axes of a C order, turned round.
  if (dtype) {
    if (!fortran) return Weight.stored(dtype, shape, name, bytes);
    return Weight.stored(dtype, shape.toReversed(), name, bytes).transpose(axes);
  }
  const texts = decodeText(await bytes.read(), count, itemBytes, kind === 'U', file);
  if (!fortran) return Weight.of('string', shape, encodeStrings(texts), name);
  const places = Weight.from(tensor('float64', shape.toReversed(), [...texts.keys()]));
  const inOrder = await places.transpose(axes).tensor();
  const sorted = Array.from(inOrder.data as Float64Array, (at) => texts[at]!);
  return Weight.of('string', shape, encodeStrings(sorted), name);
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
  readonly data: ByteHandle;
}

async function readHeader(npy: ByteHandle, file: string): Promise<Header> {
  const broken = (why: string, offset: number): DroverError =>
    numpyDiagnostics.error('format', { message: `${why} in ${file}.`, origin: { file, offset } });
  const head = await npy.read({ offset: 0, length: Math.min(12, npy.length) });
  if (!isNpy(head) || head.length < 10) throw broken('There is no NumPy array', 0);
  const major = head[6]!;
  if (major < 1 || major > 3 || (major > 1 && head.length < 12))
    throw broken(`There is no header of a known version (${major})`, 6);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const at = major === 1 ? 10 : 12;
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (at + length > npy.length) throw broken('The header is cut off', 8);
  if (length > maxHeaderBytes) throw broken(`The header is longer than ${maxHeaderBytes} bytes`, 8);
  const before = await npy.read({ offset: 0, length: at + length });
  const header = new TextDecoder(major === 3 ? 'utf-8' : 'latin1').decode(before.subarray(at));
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
  return { descr, fortran: order === 'True', shape, data: npy.after(before) };
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
    } else text = utf8Of(bytes.subarray(i * itemBytes, (i + 1) * itemBytes), i, file);
    // NumPy pads with NUL, and cannot tell trailing NULs from padding either.
    let end = text.length;
    while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
    out.push(text.slice(0, end));
  }
  return out;
}

function utf8Of(bytes: Uint8Array, at: number, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw numpyDiagnostics.error('text', {
      message: `Element ${at} of ${file} is bytes that are not UTF-8.`,
      origin: { file },
    });
  }
}

/** The name of the array of a `.npy` file, which is that of the file without its end. */
export const nameOfNpy = (path: string): string =>
  path.slice(path.lastIndexOf('/') + 1).replace(/\.npy$/, '');

/** Whether NumPy has a type for elements of this one. */
export const hasNpyType = (dtype: DType): boolean => dtype === 'string' || codes.has(dtype);

/**
 * A `.npy` file of version 1.0, little-endian, C order, its data aligned to 64 bytes: as NumPy
 * writes it. Text becomes `U` and is read for it; numbers are read when the file is. bfloat16
 * becomes `V2`, as ml_dtypes writes it. `name` is what messages call the array. Throws
 * `numpy/dtype` for the types that NumPy lacks (float8, 4- and 2-bit integers), and `numpy/text`
 * for texts that end with NUL.
 */
export async function npyOf(weight: Weight, name = weight.name ?? ''): Promise<ByteHandle> {
  const { descr, data } = await body(weight, name);
  const { shape } = weight;
  const dims = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${dims}, }`;
  const length = Math.ceil((10 + dictionary.length + 1) / 64) * 64;
  const header = new Uint8Array(length);
  header.set([...magic, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  header.set(new TextEncoder().encode(`${dictionary.padEnd(length - 11)}\n`), 10);
  return ByteHandle.join([ByteHandle.of(header), data]);
}

async function body(weight: Weight, name: string): Promise<{ descr: string; data: ByteHandle }> {
  const { dtype } = weight;
  if (dtype === 'string')
    return encodeText((await weight.tensor()).data as readonly string[], name);
  const code = codes.get(dtype);
  if (code === undefined) {
    throw numpyDiagnostics.error('dtype', {
      message: `NumPy has no type for ${dtype}.`,
      help: 'Cast to float32 or int8 first.',
      origin: { file: '', node: name },
    });
  }
  return { descr: (bytesOf(dtype, 1) === 1 ? '|' : '<') + code, data: weight.handle };
}

function encodeText(values: readonly string[], name: string): { descr: string; data: ByteHandle } {
  const origin = { file: '', node: name };
  const bad = values.findIndex((value) => value.endsWith('\0'));
  if (bad >= 0)
    throw numpyDiagnostics.error('text', {
      message: `Element ${bad} of ${name} ends with NUL, which NumPy takes for padding.`,
      origin,
    });
  const points = values.map((value) => Array.from(value, (character) => character.codePointAt(0)!));
  const width = points.reduce((most, text) => Math.max(most, text.length), 1);
  const bytes = allocateBytes(4 * width * values.length, `The text of ${name}`, origin);
  const data = new Uint32Array(bytes.buffer);
  points.forEach((text, i) => data.set(text, i * width));
  return { descr: `<U${width}`, data: ByteHandle.of(bytes) };
}
