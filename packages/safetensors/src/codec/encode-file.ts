import { coreDiagnostics, type ByteHandle, type SinkFile } from '@drover/core';
import { safetensorsDiagnostics } from '../diagnostics.js';
import { byCodePoints } from './code-point-order.js';
import { isNoUnicode, longestHeader, metadataKey, sizeBytes } from './decode-file.js';
import { alignmentRank, elementBits, type SafetensorsDType } from './dtype.js';

/** One tensor to write. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: SafetensorsDType;
  readonly shape: readonly number[];
  /** The elements, little-endian in C order: read once, when the turn of the tensor has come. */
  readonly bytes: ByteHandle;
}

/**
 * Writes a file as safetensors 0.8.0 does, byte for byte: tensors by the alignment of their types,
 * then by name, so that each begins at a multiple of its element's size; the header is filled up
 * with blanks to a multiple of eight. Tensors pass through in pieces. Throws `core/range` for bytes
 * that type and shape do not ask for, `core/duplicate`, `core/not-writable` for a header that is
 * too long and `safetensors/text`, before anything is written.
 */
export async function encodeFile(
  file: SinkFile,
  tensors: readonly WritableTensor[],
  metadata: ReadonlyMap<string, string>,
  path: string,
): Promise<void> {
  const sorted = tensors.toSorted(
    (a, b) => alignmentRank(b.dtype) - alignmentRank(a.dtype) || byCodePoints(a.name, b.name),
  );
  await file.write(encodeHeader(sorted, metadata, path));
  for (const { bytes } of sorted) for await (const chunk of bytes.chunks()) await file.write(chunk);
}

/**
 * Names of tensors, and texts of the metadata, that no file can hold, each with the reason as a
 * sentence.
 */
export function* textFaults(
  names: Iterable<string>,
  metadata: Iterable<readonly [string, string]>,
): Iterable<{ readonly text: string; readonly message: string }> {
  for (const text of [...names, ...[...metadata].flat()])
    if (isNoUnicode(text)) yield { text, message: `${JSON.stringify(text)} is no valid Unicode.` };
  for (const text of names)
    if (text === metadataKey)
      yield { text, message: `${metadataKey} is where a file keeps its metadata.` };
}

// As text, and not through an object: that has an order and a prototype of its own.
function encodeHeader(
  tensors: readonly WritableTensor[],
  metadata: ReadonlyMap<string, string>,
  path: string,
): Uint8Array {
  const names = tensors.map(({ name }) => name);
  for (const { text, message } of textFaults(names, metadata))
    throw safetensorsDiagnostics.error('text', { message, origin: { file: path, node: text } });
  const members: string[] = [];
  if (metadata.size > 0) members.push(`"${metadataKey}":${jsonObject(metadata)}`);
  const seen = new Set<string>();
  let end = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    const origin = { file: path, node: name };
    if (seen.has(name))
      throw coreDiagnostics.error('duplicate', {
        message: `Two tensors are named ${JSON.stringify(name)}.`,
        origin,
      });
    seen.add(name);
    const count = shape.reduce((product, dim) => product * dim, 1);
    if (bytes.length * 8 !== count * elementBits(dtype)!)
      throw coreDiagnostics.error('range', {
        message: `${name} has ${bytes.length} bytes, which are not ${dtype}[${shape.join(', ')}].`,
        origin,
      });
    const begin = end;
    end += bytes.length;
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join()}],"data_offsets":[${begin},${end}]}`,
    );
  }
  const text = new TextEncoder().encode(`{${members.join()}}`);
  const length = Math.ceil(text.length / 8) * 8;
  if (length > longestHeader)
    throw coreDiagnostics.error('not-writable', {
      message: `${path} would have a header of ${length} bytes, and the format allows ${longestHeader}.`,
      help: 'Write the checkpoint in shards.',
      origin: { file: path },
    });
  const header = new Uint8Array(sizeBytes + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(text, sizeBytes);
  return header;
}

const jsonObject = (texts: ReadonlyMap<string, string>) =>
  `{${[...texts].map((pair) => pair.map((text) => JSON.stringify(text)).join(':')).join()}}`;
