import {
  bitsOf,
  bytesOf,
  coreDiagnostics,
  MemorySink,
  sizeOf,
  type ByteHandle,
  type DType,
  type Sink,
  type SinkFile,
} from '@drover/core';
import { Crc, crc32cCode } from '@drover/core/format';
import { encodeMessage, type Message } from '@drover/protobuf';
import { indexPath, shardPath } from './bundle-files.js';
import { storedBytes, typeNumberOf } from './element-type.js';
import { headerMessage } from './entry.js';
import { maskCrc } from './masked-crc.js';
import { schema, type BundleEntry } from './messages.js';
import { unpacking } from './small-types.js';
import { encodeStoredStrings } from './strings.js';
import type { TableEntry } from './table/block.js';
import { compareBytes } from './table/compare-bytes.js';
import { writeTable } from './table/write-table.js';

/** One tensor to write. */
export interface WritableTensor {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The elements in the canonical encoding: read once, when the turn of the tensor has come. */
  readonly bytes: ByteHandle;
  /** Further names: entries of the index for the same bytes. */
  readonly aliases?: readonly string[];
}

const keyOf = (name: string) => new TextEncoder().encode(name);

/**
 * Whether an index can have a name: not the empty one, under which its header stands, none that
 * begins with NUL, as the keys of slices do, and no text that UTF-8 cannot hold.
 */
export const isWritableName = (name: string): boolean =>
  name !== '' && !name.startsWith('\0') && !/\p{Surrogate}/u.test(name);

/**
 * Writes a checkpoint as TensorFlow does, byte for byte: tensors in the order given, in one
 * weight file or in several of at most `shardSize` bytes where no tensor is larger, and last the
 * index, which is sorted. Tensors pass through in pieces, those of strings in one array. Throws,
 * before anything is written, `core/range` for bytes that type and shape do not ask for,
 * `core/duplicate`, and `core/not-writable` for a type or a name that a checkpoint cannot have.
 */
export async function encodeBundle(
  sink: Sink,
  prefix: string,
  tensors: readonly WritableTensor[],
  shardSize = Infinity,
): Promise<void> {
  checkWritable(tensors, indexPath(prefix));
  const shards = shardsOf(tensors, shardSize);
  const entries: TableEntry[] = [];
  for (const [shardId, held] of shards.entries()) {
    const file = await sink.create(shardPath(prefix, shardId, shards.length));
    let offset = 0;
    for (const tensor of held) {
      const { size, crc32c } = await writeElements(file, tensor);
      const value = await messageBytes('BundleEntry', {
        dtype: typeNumberOf(tensor.dtype)!,
        shape: { dim: tensor.shape.map((dim) => (dim === 0 ? {} : { size: dim })) },
        // Zero is what is absent.
        ...(shardId > 0 && { shardId }),
        ...(offset > 0 && { offset }),
        ...(size > 0 && { size }),
        ...(crc32c > 0 && { crc32c }),
      });
      for (const name of [tensor.name, ...(tensor.aliases ?? [])])
        entries.push({ key: keyOf(name), value });
      offset += size;
    }
    await file.close();
  }
  const header = await messageBytes('BundleHeader', headerMessage(shards.length));
  entries.push({ key: keyOf(''), value: header });
  entries.sort((a, b) => compareBytes(a.key, b.key));
  const index = await sink.create(indexPath(prefix));
  await writeTable(index, entries);
  await index.close();
}

function checkWritable(tensors: readonly WritableTensor[], file: string): void {
  const seen = new Set<string>();
  for (const { name, dtype, shape, bytes, aliases = [] } of tensors) {
    const origin = { file, node: name };
    const refuse = (message: string) =>
      coreDiagnostics.error('not-writable', { message: `${message}.`, origin });
    for (const each of [name, ...aliases]) {
      if (!isWritableName(each))
        throw refuse(`A checkpoint of TensorFlow cannot have the name ${JSON.stringify(each)}`);
      if (seen.has(each))
        throw coreDiagnostics.error('duplicate', {
          message: `Two tensors are named ${JSON.stringify(each)}.`,
          origin,
        });
      seen.add(each);
    }
    if (typeNumberOf(dtype) === undefined)
      throw refuse(`${name} is ${dtype}, a type that TensorFlow does not have`);
    if (dtype !== 'string' && bytes.length !== bytesOf(dtype, sizeOf(shape)))
      throw coreDiagnostics.error('range', {
        message: `${name} has ${bytes.length} bytes, which are not ${dtype}[${shape.join(', ')}].`,
        origin,
      });
  }
}

/** Bytes of a tensor in a weight file; of strings about as many. */
const sizeIn = ({ dtype, shape, bytes }: WritableTensor) =>
  dtype === 'string' ? bytes.length : sizeOf(shape) * storedBytes(dtype);

function shardsOf(
  tensors: readonly WritableTensor[],
  shardSize: number,
): readonly (readonly WritableTensor[])[] {
  const shards: WritableTensor[][] = [[]];
  let bytes = 0;
  for (const tensor of tensors) {
    const size = sizeIn(tensor);
    if (bytes > 0 && bytes + size > shardSize) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += size;
  }
  return shards;
}

/** Writes the elements of a tensor: how many bytes they are, and their masked CRC-32C. */
async function writeElements(file: SinkFile, { dtype, shape, bytes }: WritableTensor) {
  if (dtype === 'string') {
    const { pieces, crc32c } = encodeStoredStrings(await bytes.read());
    for (const piece of pieces) await file.write(piece);
    return { size: pieces.reduce((sum, piece) => sum + piece.length, 0), crc32c };
  }
  const size = sizeOf(shape) * storedBytes(dtype);
  const stored = bitsOf(dtype) < 8 ? bytes.decoded(unpacking(dtype, size), size) : bytes;
  const sum = new Crc(crc32cCode);
  for await (const piece of stored.chunks()) {
    sum.add(piece);
    await file.write(piece);
  }
  return { size, crc32c: maskCrc(sum.value) };
}

/** The bytes of a message. */
async function messageBytes(
  name: 'BundleHeader' | 'BundleEntry',
  message: Message & BundleEntry,
): Promise<Uint8Array> {
  const sink = new MemorySink();
  await encodeMessage(schema, name, message, await sink.create(name));
  await sink.commit();
  return sink.files.get(name)!;
}
