import { coreDiagnostics, type DroverError, type ByteSource } from '@drover/core';
import { zipDiagnostics } from './diagnostics.js';
import { nameFault, nameKey, type ZipEntry, type ZipNames } from './zip-entry.js';

/** Bounds that protect from hostile archives. */
export interface ZipLimits {
  /** Entries of an archive. */
  readonly maxEntries: number;
  /**
   * How many times larger than its compressed bytes an entry may be; entries below 1 MiB may
   * always.
   */
  readonly maxRatio: number;
}

/** The limits unless the caller says otherwise. */
export const zipLimits: ZipLimits = { maxEntries: 100_000, maxRatio: 100 };

const alwaysAllowedBytes = 2 ** 20;
const entryBytes = 46;
/** Bytes of a local header without name and extra fields. */
export const localBytes = 30;

/** `zip/format` at a place of an archive. */
export function broken(source: ByteSource, why: string, offset: number): DroverError {
  return zipDiagnostics.error('format', {
    message: `${why} in ${source.name}.`,
    origin: { file: source.name, offset },
  });
}

/** A stretch of an archive. Throws `zip/format` when it lies outside. */
export async function viewOf(
  source: ByteSource,
  offset: number,
  length: number,
): Promise<DataView> {
  if (!(offset >= 0 && offset + length <= source.size))
    throw broken(source, 'A part of the archive lies outside the file', offset);
  const bytes = await source.read({ offset, length });
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The UTF-8 text at a place of a view. Throws `zip/name` for anything else. */
export function textOf(
  source: ByteSource,
  view: DataView,
  at: number,
  length: number,
  offset: number,
): string {
  try {
    const bytes = new Uint8Array(view.buffer, view.byteOffset + at, length);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw zipDiagnostics.error('name', {
      message: `A name in ${source.name} is not UTF-8.`,
      origin: { file: source.name, offset },
    });
  }
}

/** A 64-bit count; larger than any file when it exceeds 2^53. */
const wide = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/**
 * Reads the directory of an archive, in its own order; no entry is read. Errors: `zip/format`,
 * `zip/name`, `core/duplicate`, `zip/overlap`, `zip/unsupported`, `core/limit`.
 */
export async function readDirectory(
  source: ByteSource,
  names: ZipNames,
  { maxEntries, maxRatio }: ZipLimits,
): Promise<readonly ZipEntry[]> {
  const { count, offset, size, end } = await findDirectory(source);
  if (count > maxEntries) {
    const message = `${count} entries are more than the limit of ${maxEntries} (maxEntries).`;
    throw coreDiagnostics.error('limit', { message, origin: { file: source.name, offset: end } });
  }
  if (!(offset + size <= end && count * entryBytes <= size))
    throw broken(source, 'The directory does not fit', end);
  const view = await viewOf(source, offset, size);
  const entries: Omit<ZipEntry, 'end'>[] = [];
  const keys = new Map<string, string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    const origin = { file: source.name, offset: offset + at };
    if (at + entryBytes > size || view.getUint32(at, true) !== 0x02014b50)
      throw broken(source, `Entry ${i} of the directory is damaged`, origin.offset);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    ) as [number, number, number];
    const next = at + entryBytes + nameBytes + extraBytes + commentBytes;
    if (next > size) throw broken(source, `Entry ${i} of the directory is cut off`, origin.offset);
    const entry = readEntry(source, view, at, nameBytes, extraBytes, origin.offset);
    const quoted = JSON.stringify(entry.name);
    // Unix file type in the upper half of the external attributes.
    const isLink = view.getUint32(at + 38, true) >>> 28 === 0xa;
    const fault = isLink ? 'is a symbolic link' : nameFault(entry.name, names);
    if (fault !== undefined)
      throw zipDiagnostics.error('name', { message: `${quoted} ${fault}.`, origin });
    const key = nameKey(entry.name, names);
    const twin = keys.get(key);
    if (twin !== undefined) {
      const message = `${JSON.stringify(twin)} and ${quoted} are one name.`;
      throw coreDiagnostics.error('duplicate', { message, origin });
    }
    keys.set(key, entry.name);
    if (entry.size > alwaysAllowedBytes && entry.size > maxRatio * entry.compressedSize) {
      const message = `${quoted} grows from ${entry.compressedSize} to ${entry.size} bytes, more than ${maxRatio} times (maxRatio).`;
      throw coreDiagnostics.error('limit', { message, origin });
    }
    entries.push(entry);
    at = next;
  }
  return apart(source, entries, offset);
}

/**
 * The entries with their ends. Throws `zip/overlap` unless each is over where the next one, or the
 * directory, begins, as far as that is known without their headers.
 */
function apart(
  source: ByteSource,
  entries: readonly Omit<ZipEntry, 'end'>[],
  directory: number,
): readonly ZipEntry[] {
  const starts = entries.map(({ offset }) => offset).sort((a, b) => a - b);
  // Of two entries in one place, the first ends where it begins.
  const ends = new Map(
    starts.map((start, i) => [start, starts[i + 1] ?? directory] as const).reverse(),
  );
  return entries.map((entry) => {
    const { name, offset, compressedSize } = entry;
    const end = ends.get(offset)!;
    if (offset + localBytes + compressedSize > end) throw overlapError(source, name, offset);
    return { ...entry, end };
  });
}

/** `zip/overlap` for an entry that runs into what follows it. */
export function overlapError(source: ByteSource, name: string, offset: number): DroverError {
  return zipDiagnostics.error('overlap', {
    message: `${JSON.stringify(name)} overlaps what follows it.`,
    origin: { file: source.name, offset },
  });
}

function readEntry(
  source: ByteSource,
  view: DataView,
  at: number,
  nameBytes: number,
  extraBytes: number,
  offset: number,
): Omit<ZipEntry, 'end'> {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const name = textOf(source, view, at + entryBytes, nameBytes, offset);
  const unsupported = (why: string) =>
    zipDiagnostics.error('unsupported', {
      message: `${JSON.stringify(name)} ${why}.`,
      origin: { file: source.name, offset },
    });
  if (flags & 0x2041) throw unsupported('is encrypted');
  if (method !== 0 && method !== 8) throw unsupported(`is compressed by method ${method}`);
  const sizes = readSizes(source, view, at, at + entryBytes + nameBytes, extraBytes, offset);
  if (method === 0 && sizes.size !== sizes.compressedSize)
    throw broken(source, `${JSON.stringify(name)} is stored with two sizes`, offset);
  return {
    name,
    ...sizes,
    compression: method === 0 ? 'stored' : 'deflate',
    crc32: view.getUint32(at + 16, true),
  };
}

/**
 * Sizes and offset of a directory entry; those that read 0xffffffff stand in the zip64 extra field.
 */
function readSizes(
  source: ByteSource,
  view: DataView,
  at: number,
  extra: number,
  extraBytes: number,
  offset: number,
) {
  const sizes = {
    size: view.getUint32(at + 24, true),
    compressedSize: view.getUint32(at + 20, true),
    offset: view.getUint32(at + 42, true),
  };
  const missing = (Object.keys(sizes) as (keyof typeof sizes)[]).filter(
    (key) => sizes[key] === 0xffffffff,
  );
  if (missing.length === 0) return sizes;
  for (
    let field = extra;
    field + 4 <= extra + extraBytes;
    field += 4 + view.getUint16(field + 2, true)
  ) {
    if (view.getUint16(field, true) !== 1) continue;
    if (
      view.getUint16(field + 2, true) < 8 * missing.length ||
      field + 4 + 8 * missing.length > extra + extraBytes
    )
      break;
    missing.forEach((key, i) => (sizes[key] = wide(view, field + 4 + 8 * i)));
    return sizes;
  }
  throw broken(source, 'A zip64 size is missing', offset);
}

/**
 * Place of the directory. The record that tells it must end the file, so that nothing else can pass
 * for it.
 */
async function findDirectory(
  source: ByteSource,
): Promise<{ count: number; offset: number; size: number; end: number }> {
  const length = Math.min(source.size, 22 + 0xffff);
  const tail = await viewOf(source, source.size - length, length);
  let at = length - 22;
  while (
    at >= 0 &&
    !(tail.getUint32(at, true) === 0x06054b50 && tail.getUint16(at + 20, true) === length - 22 - at)
  )
    at--;
  if (at < 0) throw broken(source, 'There is no end of an archive', source.size);
  const end = source.size - length + at;
  const [disk, directoryDisk, here, count] = [4, 6, 8, 10].map((field) =>
    tail.getUint16(at + field, true),
  );
  const size = tail.getUint32(at + 12, true);
  const offset = tail.getUint32(at + 16, true);
  if (count === 0xffff || size === 0xffffffff || offset === 0xffffffff)
    return findWideDirectory(source, end);
  if (disk !== 0 || directoryDisk !== 0 || here !== count)
    throw zipDiagnostics.error('unsupported', {
      message: `${source.name} spans several files.`,
      origin: { file: source.name, offset: end },
    });
  return { count: count!, offset, size, end };
}

async function findWideDirectory(source: ByteSource, end: number) {
  const locator = await viewOf(source, end - 20, 20);
  const at = wide(locator, 8);
  if (locator.getUint32(0, true) !== 0x07064b50 || !(at + 56 <= end - 20))
    throw broken(source, 'There is no zip64 end of an archive', end);
  const record = await viewOf(source, at, 56);
  if (record.getUint32(0, true) !== 0x06064b50 || wide(record, 24) !== wide(record, 32))
    throw broken(source, 'The zip64 end of the archive is damaged', at);
  return { count: wide(record, 32), size: wide(record, 40), offset: wide(record, 48), end: at };
}
