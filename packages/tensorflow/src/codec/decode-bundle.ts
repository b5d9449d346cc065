import {
  bitsOf,
  ByteHandle,
  bytesOf,
  DroverError,
  sizeOf,
  type DiagnosticOrigin,
  type Source,
} from '@drover/core';
import { bigEndian } from '@drover/core/format';
import type { DataType } from '@drover/graphdef/codec';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { assembleSlices, type PlacedSlice } from './assemble-slices.js';
import { baseName, prefixOf, shardPath } from './bundle-files.js';
import { elementTypeOf, storedBytes, unitBytes } from './element-type.js';
import {
  bundleError,
  decodeEntry,
  decodeHeader,
  isVersion1,
  type Entry,
  type Header,
} from './entry.js';
import { crcCheck } from './masked-crc.js';
import { packing } from './small-types.js';
import { sliceKey, type SliceExtent } from './slice-key.js';
import { openStrings } from './strings.js';
import type { TableEntry, TableLimits } from './table/block.js';
import { Table } from './table/read-table.js';

/** A tensor of a checkpoint. */
export interface BundleTensor {
  readonly name: string;
  /** As the file has it. {@link elementTypeOf} tells what its elements are read as. */
  readonly dataType: DataType;
  readonly shape: readonly number[];
  /**
   * The elements in the canonical encoding, held against their CRC when all of them are read; what
   * stands in the file, unchecked, where their type has no form here.
   */
  readonly bytes: ByteHandle;
  /** Further names under which the index has the same bytes as the same type and shape. */
  readonly aliases: readonly string[];
}

/** What a checkpoint holds. */
export interface Bundle {
  /** The version of the format. */
  readonly version: number;
  /** In the order of their bytes in the weight files: that of the program which wrote them. */
  readonly tensors: readonly BundleTensor[];
}

/** The header of a checkpoint and the other entries of its index. */
interface Index {
  readonly header: Header;
  readonly entries: readonly TableEntry[];
}

async function readIndex(source: Source, limits: Partial<TableLimits>): Promise<Index> {
  const origin = { file: source.name };
  const entries: TableEntry[] = [];
  const table = await Table.open(source, limits);
  for await (const entry of table.entries()) {
    if (entries.length === 0 && entry.key.length > 0) break;
    if (entries.length === 0 && isVersion1(entry.value))
      throw tensorflowDiagnostics.error('generation', {
        message: `${source.name} is a checkpoint of the first version of the format, of TensorFlow before 1.0.`,
        help: 'tf.train.load_checkpoint of TensorFlow still reads it: save its tensors again as those of a tf.train.Checkpoint.',
        origin,
      });
    entries.push(entry);
  }
  const [first, ...others] = entries;
  if (!first) throw bundleError(`${source.name} has no header`, origin);
  return { header: await decodeHeader(first.value, source.name), entries: others };
}

/**
 * The names of the weight files of an index. Throws what {@link decodeBundle} does where the index
 * is damaged.
 */
export async function shardPaths(
  source: Source,
  limits: Partial<TableLimits> = {},
): Promise<readonly string[]> {
  const { shardCount } = (await readIndex(source, limits)).header;
  const prefix = prefixOf(baseName(source.name));
  return Array.from({ length: shardCount }, (_, i) => shardPath(prefix, i, shardCount));
}

/**
 * Reads a checkpoint (`PREFIX.index` and its weight files, which stand beside it): the index, and
 * of tensors of strings the lengths. Partitioned variables are put together. Everything that is
 * wrong with the weight files is thrown at once. Errors: `tensorflow/table`,
 * `tensorflow/checksum`, `tensorflow/bundle`, `tensorflow/slices`, `tensorflow/generation`,
 * `core/missing-file`, `core/range` and `core/limit`.
 */
export async function decodeBundle(
  source: Source,
  limits: Partial<TableLimits> = {},
): Promise<Bundle> {
  const { header, entries } = await readIndex(source, limits);
  const { name: file } = source;
  const whole: Entry[] = [];
  const slices = new Map<string, Entry>();
  for (const { key, value } of entries) {
    // No name begins with NUL: these keys are of slices.
    if (key[0] === 0) {
      const entry = await decodeEntry('a slice', value, header, file);
      slices.set(keyText(key), entry);
    } else whole.push(await decodeEntry(nameOf(key, file), value, header, file));
  }
  const shards = await openShards(source, header, [...whole, ...slices.values()]);
  const reader = new EntryReader(shards, header, file);
  const used = new Set<string>();
  const found: { readonly at: Entry; readonly tensor: BundleTensor }[] = [];
  const byPlace = new Map<string, string[]>();
  const stretches: Entry[] = [];
  for (const entry of whole) {
    const { name, dataType, shape, shard, offset, size, crc32c } = entry;
    if (entry.slices.length > 0) {
      const parts = entry.slices.map((extents) => {
        const key = keyText(sliceKey(name, extents));
        used.add(key);
        const part = slices.get(key);
        if (!part) throw reader.slicesError(entry, 'are not all there');
        return { ...part, name, extents };
      });
      const bytes = await reader.assemble(entry, parts);
      stretches.push(...parts);
      found.push({
        at: parts.toSorted(byStart)[0]!,
        tensor: { name, dataType, shape, aliases: [], bytes },
      });
      continue;
    }
    // With the CRC: of two that differ one is wrong, and only one would be looked at.
    const place = JSON.stringify([shard, offset, size, crc32c, dataType, shape]);
    const known = size > 0 ? byPlace.get(place) : undefined;
    if (known) {
      known.push(name);
      continue;
    }
    const aliases: string[] = [];
    byPlace.set(place, aliases);
    stretches.push(entry);
    const bytes = await reader.open(entry);
    found.push({ at: entry, tensor: { name, dataType, shape, aliases, bytes } });
  }
  if (used.size < slices.size)
    throw tensorflowDiagnostics.error('slices', {
      message: `${slices.size - used.size} slices are of no tensor.`,
      origin: { file },
    });
  checkApart(stretches, file);
  found.sort((a, b) => byStart(a.at, b.at));
  return { version: header.version, tensors: found.map(({ tensor }) => tensor) };
}

/** By places in the weight files; what has no bytes comes before what begins there. */
const byStart = (a: Entry, b: Entry): number =>
  a.shard - b.shard || a.offset - b.offset || a.size - b.size;

/** Bytes of a key as a text that tells it from others. */
const keyText = (key: Uint8Array) => Array.from(key, (byte) => String.fromCharCode(byte)).join('');

function nameOf(key: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(key);
  } catch {
    throw bundleError(`The name ${JSON.stringify(keyText(key))} is not UTF-8`, { file });
  }
}

/** The weight files that entries refer to, by number. */
async function openShards(
  source: Source,
  { shardCount }: Header,
  entries: readonly Entry[],
): Promise<ReadonlyMap<number, Source>> {
  const prefix = prefixOf(baseName(source.name));
  const wanted = new Set(
    entries.flatMap(({ shard, slices }) => (slices.length > 0 ? [] : [shard])),
  );
  const shards = new Map<number, Source>();
  const missing: DroverError[] = [];
  for (const shard of [...wanted].sort((a, b) => a - b)) {
    try {
      shards.set(shard, await source.sibling(shardPath(prefix, shard, shardCount)));
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      missing.push(error);
    }
  }
  if (missing.length > 0)
    throw new DroverError(
      missing[0]!.failure,
      missing.flatMap(({ diagnostics }) => diagnostics),
    );
  return shards;
}

/** Bytes belong to one tensor, or to none: what lies between them is padding. */
function checkApart(entries: readonly Entry[], file: string): void {
  const sorted = entries.filter(({ size }) => size > 0).toSorted(byStart);
  for (const [i, entry] of sorted.entries()) {
    const before = sorted[i - 1];
    if (before && before.shard === entry.shard && before.offset + before.size > entry.offset)
      throw bundleError(
        `${JSON.stringify(entry.name)} begins at ${entry.offset}, within the bytes of ${JSON.stringify(before.name)}`,
        { file, node: entry.name },
      );
  }
}

/** Makes handles of entries. */
class EntryReader {
  constructor(
    private readonly shards: ReadonlyMap<number, Source>,
    private readonly header: Header,
    private readonly file: string,
  ) {}

  /** The elements of an entry that stands whole. */
  async open({ name, dataType, shape, shard, offset, size, crc32c }: Entry): Promise<ByteHandle> {
    const origin = { file: this.file, node: name };
    const what = JSON.stringify(name);
    const { isBigEndian } = this.header;
    const stored = ByteHandle.range(this.shards.get(shard)!, offset, size);
    const place: DiagnosticOrigin = { ...stored.origin, node: name };
    const dtype = elementTypeOf(dataType);
    const count = sizeOf(shape);
    if (dtype === 'string') return openStrings(stored, { count, crc32c, isBigEndian }, place);
    if (dtype === undefined) return stored;
    const checked = stored.checked(crcCheck(crc32c, what, place));
    if (count * storedBytes(dtype) !== size)
      throw bundleError(
        `${what} has ${size} bytes, and ${dataType}[${shape.join(', ')}] is ${count * storedBytes(dtype)}`,
        origin,
      );
    const unit = unitBytes(dtype);
    const little = isBigEndian && unit > 1 ? checked.decoded(bigEndian(unit), size) : checked;
    return bitsOf(dtype) < 8 ? little.decoded(packing(dtype), bytesOf(dtype, count)) : little;
  }

  /** The error that the slices of a tensor do something. */
  slicesError({ name }: Entry, what: string): DroverError {
    return tensorflowDiagnostics.error('slices', {
      message: `The slices of ${JSON.stringify(name)} ${what}.`,
      origin: { file: this.file, node: name },
    });
  }

  /** The elements of a tensor from its slices. */
  async assemble(
    entry: Entry,
    parts: readonly (Entry & { readonly extents: readonly SliceExtent[] })[],
  ): Promise<ByteHandle> {
    const { name, dataType, shape } = entry;
    const dtype = elementTypeOf(dataType);
    if (dtype === undefined || dtype === 'string')
      throw tensorflowDiagnostics.error('generation', {
        message: `${JSON.stringify(name)} is ${dataType} in slices.`,
        origin: { file: this.file, node: name },
      });
    const placed: PlacedSlice[] = [];
    for (const part of parts) {
      const start = part.extents.map((each) => each.start);
      const size = part.extents.map(({ length }, axis) => length ?? shape[axis]!);
      if (part.dataType !== dataType || part.shape.join() !== size.join())
        throw this.slicesError(
          entry,
          `are of ${dataType}, and one is ${part.dataType}[${part.shape.join(', ')}]`,
        );
      placed.push({ start, shape: size, bytes: await this.open(part) });
    }
    const bytes = assembleSlices(dtype, shape, placed);
    if (!bytes) throw this.slicesError(entry, `do not make up [${shape.join(', ')}]`);
    return bytes;
  }
}
