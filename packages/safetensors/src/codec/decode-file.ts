import { ByteHandle, coreDiagnostics, type DroverError, type Source } from '@drover/core';
import { JsonCursor, parseJson } from '@drover/core/format';
import { safetensorsDiagnostics } from '../diagnostics.js';
import { elementBits } from './dtype.js';

/** One tensor of a file: known by the header, its elements read when asked for. */
export interface SafetensorsTensor {
  readonly name: string;
  /** The element type as the file spells it, also where the format does not know it. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** The elements, little-endian in C order. */
  readonly bytes: ByteHandle;
}

/** What a file holds. */
export interface SafetensorsFile {
  /** The texts under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /**
   * The tensors in the order of their bytes, as `offset_keys` of the library gives them; it is the
   * order of the header in all files that the library writes.
   */
  readonly tensors: readonly SafetensorsTensor[];
}

/** Bounds that protect from hostile files. */
export interface HeaderLimits {
  /** Bytes of the header; 25 MB unless told. The format itself ends at 100 MB. */
  readonly maxHeaderBytes?: number;
  /** Dimensions of one tensor; 64 unless told. */
  readonly maxRank?: number;
}

/** The key under which a header keeps what is no tensor. */
export const metadataKey = '__metadata__';
/** The longest header of the format. */
export const longestHeader = 100_000_000;
/** Bytes before the header: its size. */
export const sizeBytes = 8;

const openBrace = 0x7b;

/** The error that something is wrong with the header, or at an offset within it. */
const wrong = (file: string, message: string, offset: number): DroverError =>
  safetensorsDiagnostics.error('header', { message, origin: { file, offset } });

/** Whether a text has half a character, which UTF-8 cannot hold. */
export const isNoUnicode = (text: string): boolean => /\p{Surrogate}/u.test(text);

/** Whether bytes are a start of a file: a size that can be one, and a JSON object. */
export function isHead(bytes: Uint8Array): boolean {
  // A size of more than 48 bits is rather text.
  return bytes.length > sizeBytes && bytes[8] === openBrace && bytes[6] === 0 && bytes[7] === 0;
}

/**
 * Reads the header of a file, and nothing behind it
 * (https://github.com/huggingface/safetensors#format). Throws `core/range` for a file that is cut
 * short, `safetensors/header`, `safetensors/offsets`, `core/json`, `core/duplicate` and
 * `core/limit`.
 */
export async function decodeFile(
  source: Source,
  limits: HeaderLimits = {},
): Promise<SafetensorsFile> {
  const { bytes, dataOffset } = await readHeader(source, limits);
  checkNumbers(bytes, source.name);
  const header = new JsonCursor(parseHeader(bytes, source.name), source.name);
  const metadata = new Map<string, string>();
  for (const [key, value] of header.get(metadataKey)?.members() ?? [])
    metadata.set(checkText(key, value), checkText(value.string(), value));
  const entries = header
    .members()
    .filter(([name]) => name !== metadataKey)
    .map(([name, entry]) => decodeEntry(checkText(name, entry), entry, limits));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  return { metadata, tensors: placed(source, dataOffset, entries) };
}

async function readHeader(
  source: Source,
  { maxHeaderBytes = 25_000_000 }: HeaderLimits,
): Promise<{ readonly bytes: Uint8Array; readonly dataOffset: number }> {
  const { name: file } = source;
  const start = await source.read({ offset: 0, length: sizeBytes });
  const size = new DataView(start.buffer, start.byteOffset, sizeBytes).getBigUint64(0, true);
  if (size > BigInt(longestHeader))
    throw wrong(file, `A header of ${size} bytes is longer than ${longestHeader}.`, 0);
  if (size < 2n) throw wrong(file, `A header of ${size} bytes is no JSON object.`, 0);
  if (size > BigInt(maxHeaderBytes))
    throw coreDiagnostics.error('limit', {
      message: `The header has ${size} bytes (maxHeaderBytes ${maxHeaderBytes}).`,
      origin: { file, offset: 0 },
    });
  const bytes = await source.read({ offset: sizeBytes, length: Number(size) });
  if (bytes[0] !== openBrace) throw wrong(file, 'The header does not begin with {.', sizeBytes);
  return { bytes, dataOffset: sizeBytes + bytes.length };
}

function parseHeader(bytes: Uint8Array, file: string) {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw wrong(file, 'The header is not UTF-8 text.', sizeBytes);
  }
  // Blanks in the place of the size, so that what is told of the text stands at its offset.
  return parseJson(' '.repeat(sizeBytes) + text, file);
}

const [quote, backslash, minus, point, digit0, digit9, exponent] = [
  0x22, 0x5c, 0x2d, 0x2e, 0x30, 0x39, 0x65,
];

/** Every number is a size or an offset: plain digits. JSON makes 2 of 2.0, and -0 of -0. */
function checkNumbers(bytes: Uint8Array, file: string): void {
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!;
    if (c === quote) {
      for (i++; i < bytes.length && bytes[i] !== quote; i++) if (bytes[i] === backslash) i++;
      continue;
    }
    const isFraction =
      (c === point || (c | 0x20) === exponent) &&
      bytes[i - 1]! >= digit0 &&
      bytes[i - 1]! <= digit9;
    if (c === minus || isFraction)
      throw wrong(file, 'A number of the header is not a whole one from 0 on.', sizeBytes + i);
  }
}

/** A text of the header, which has to be one that UTF-8 can hold. */
function checkText(text: string, at: JsonCursor): string {
  if (!isNoUnicode(text)) return text;
  throw safetensorsDiagnostics.error('header', {
    message: `${JSON.stringify(text)} is no valid Unicode.`,
    origin: { file: at.file, pointer: at.pointer },
  });
}

/** What the header says of a tensor; offsets are from the end of the header on. */
interface Entry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function decodeEntry(name: string, entry: JsonCursor, { maxRank = 64 }: HeaderLimits): Entry {
  const dtype = entry.require('dtype').string();
  const shape = entry.require('shape').items();
  if (shape.length > maxRank)
    throw coreDiagnostics.error('limit', {
      message: `${name} has ${shape.length} dimensions (maxRank ${maxRank}).`,
      origin: { file: entry.file, pointer: entry.pointer },
    });
  const offsets = entry.require('data_offsets');
  const [begin, end, more] = offsets.items().map((item) => item.integer(0));
  if (begin === undefined || end === undefined || more !== undefined)
    throw offsets.error('is not a pair of offsets');
  return { name, dtype, shape: shape.map((dim) => dim.integer(0)), begin, end };
}

/** The tensors of entries that are sorted by their places: each begins where the last one ends. */
function placed(
  source: Source,
  dataOffset: number,
  entries: readonly Entry[],
): readonly SafetensorsTensor[] {
  const { name: file, size } = source;
  let last = 0;
  const tensors = entries.map(({ name, dtype, shape, begin, end }) => {
    const bad = (message: string) =>
      safetensorsDiagnostics.error('offsets', {
        message: `${name} ${message}.`,
        origin: { file, node: name, offset: dataOffset + begin },
      });
    if (end < begin) throw bad(`ends at ${end}, before it begins at ${begin}`);
    if (begin < last) throw bad(`begins at ${begin}, within the bytes of another up to ${last}`);
    if (begin > last) throw bad(`begins at ${begin}, and the bytes from ${last} on are of none`);
    const bits = elementBits(dtype);
    const asked = shape.reduce((product, dim) => product * BigInt(dim), BigInt(bits ?? 0));
    if (bits !== undefined && asked !== BigInt(end - begin) * 8n)
      throw bad(`has ${end - begin} bytes, and ${dtype}[${shape.join(', ')}] is ${asked} bits`);
    if (dataOffset + end > size)
      throw coreDiagnostics.error('range', {
        message: `${name} ends at ${dataOffset + end}, and ${file} has ${size} bytes.`,
        origin: { file, node: name, offset: dataOffset + begin },
      });
    last = end;
    return {
      name,
      dtype,
      shape,
      bytes: ByteHandle.range(source, dataOffset + begin, end - begin),
    };
  });
  if (dataOffset + last < size)
    throw safetensorsDiagnostics.error('offsets', {
      message: `${size - dataOffset - last} bytes follow the last tensor.`,
      origin: { file, offset: dataOffset + last },
    });
  return tensors;
}
