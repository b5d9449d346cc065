import { Inflate } from 'fflate';
import type { Source } from '@drover/core';
import { crc32 } from './crc32.js';
import { zipDiagnostics } from './diagnostics.js';

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

/** One file of an archive. */
export interface ZipEntry {
  readonly name: string;
  /** Bytes once inflated. */
  readonly size: number;
  readonly compressedSize: number;
  readonly compression: 'stored' | 'deflate';
  readonly crc32: number;
  /** Offset of the entry's local header. */
  readonly offset: number;
  /** Where the next entry, or the directory, begins: the entry must end before. */
  readonly end: number;
}

const pageBytes = 2 ** 16;
const alwaysAllowedBytes = 2 ** 20;

function broken(source: Source, why: string, offset: number) {
  return zipDiagnostics.error('format', {
    message: `${why} in ${source.name}.`,
    origin: { file: source.name, offset },
  });
}

async function viewOf(source: Source, offset: number, length: number): Promise<DataView> {
  if (offset + length > source.size || offset < 0)
    throw broken(source, 'A part of the archive lies outside the file', offset);
  const bytes = await source.read({ offset, length });
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A 64-bit count; larger than any file when it exceeds 2^53. */
const wide = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/**
 * Reads the directory of a ZIP archive, zip64 included, in its own order; no entry is read. Names
 * are kept as they are, because they are keys here and never paths, but `..`, NUL and symbolic
 * links are refused all the same. Throws `zip/format`, `zip/duplicate`, `zip/unsupported`,
 * `zip/limit`.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export async function readZipDirectory(
  source: Source,
  limits: Partial<ZipLimits> = {},
): Promise<readonly ZipEntry[]> {
  const { maxEntries, maxRatio } = { ...zipLimits, ...limits };
  const { count, offset, size, end } = await findDirectory(source);
  if (count > maxEntries) {
    const message = `${count} entries are more than the limit of ${maxEntries} (maxEntries).`;
    throw zipDiagnostics.error('limit', { message, origin: { file: source.name, offset: end } });
  }
  if (offset + size > end || count * 46 > size)
    throw broken(source, 'The directory does not fit', end);
  const view = await viewOf(source, offset, size);
  const entries: Omit<ZipEntry, 'end'>[] = [];
  const names = new Set<string>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > size || view.getUint32(at, true) !== 0x02014b50)
      throw broken(source, `Entry ${i} of the directory is damaged`, offset + at);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
      view.getUint16(at + field, true),
    ) as [number, number, number];
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > size) throw broken(source, `Entry ${i} of the directory is cut off`, offset + at);
    const entry = readEntry(source, view, at, nameBytes, extraBytes, offset + at);
    if (names.has(entry.name)) {
      const message = `There are two entries named ${JSON.stringify(entry.name)}.`;
      throw zipDiagnostics.error('duplicate', {
        message,
        origin: { file: source.name, offset: offset + at },
      });
    }
    names.add(entry.name);
    if (entry.size > alwaysAllowedBytes && entry.size > maxRatio * entry.compressedSize) {
      const message = `${JSON.stringify(entry.name)} grows from ${entry.compressedSize} to ${entry.size} bytes, more than ${maxRatio} times (maxRatio).`;
      throw zipDiagnostics.error('limit', {
        message,
        origin: { file: source.name, offset: offset + at },
      });
    }
    entries.push(entry);
    at = next;
  }
  return withEnds(source, entries, offset);
}

function withEnds(
  source: Source,
  entries: readonly Omit<ZipEntry, 'end'>[],
  directory: number,
): readonly ZipEntry[] {
  const starts = entries.map((entry) => entry.offset).sort((a, b) => a - b);
  const following = new Map<number, number>();
  for (const [i, start] of starts.entries()) {
    if (following.has(start)) {
      throw zipDiagnostics.error('overlap', {
        message: 'Two entries share their bytes.',
        origin: { file: source.name, offset: start },
      });
    }
    following.set(start, starts[i + 1] ?? directory);
  }
  return entries.map((entry) => ({ ...entry, end: following.get(entry.offset) ?? directory }));
}

function readEntry(
  source: Source,
  view: DataView,
  at: number,
  nameBytes: number,
  extraBytes: number,
  offset: number,
): Omit<ZipEntry, 'end'> {
  const flags = view.getUint16(at + 8, true);
  const method = view.getUint16(at + 10, true);
  const name = decodeName(
    source,
    new Uint8Array(view.buffer, view.byteOffset + at + 46, nameBytes),
    offset,
  );
  const unsupported = (why: string) =>
    zipDiagnostics.error('unsupported', {
      message: `${JSON.stringify(name)} ${why}.`,
      origin: { file: source.name, offset },
    });
  if (flags & 0x2041) throw unsupported('is encrypted');
  if (method !== 0 && method !== 8) throw unsupported(`is compressed by method ${method}`);
  // Unix file type in the upper half of the external attributes.
  if (view.getUint32(at + 38, true) >>> 28 === 0xa)
    throw broken(source, `${JSON.stringify(name)} is a symbolic link`, offset);
  const sizes = readSizes(source, view, at, at + 46 + nameBytes, extraBytes, offset);
  if (method === 0 && sizes.size !== sizes.compressedSize)
    throw broken(source, `${JSON.stringify(name)} is stored with two sizes`, offset);
  return {
    name,
    ...sizes,
    compression: method === 0 ? 'stored' : 'deflate',
    crc32: view.getUint32(at + 16, true),
  };
}

function decodeName(source: Source, bytes: Uint8Array, offset: number): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken(source, 'A name is not UTF-8', offset);
  }
  if (name.includes('\0') || name.split(/[/\\]/).includes('..'))
    throw broken(source, `${JSON.stringify(name)} is not an acceptable name`, offset);
  return name;
}

/**
 * Sizes and offset of a directory entry; those that read 0xffffffff stand in the zip64 extra field.
 */
function readSizes(
  source: Source,
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
  source: Source,
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

async function findWideDirectory(source: Source, end: number) {
  const locator = await viewOf(source, end - 20, 20);
  const at = wide(locator, 8);
  if (locator.getUint32(0, true) !== 0x07064b50 || at + 56 > end - 20)
    throw broken(source, 'There is no zip64 end of an archive', end);
  const record = await viewOf(source, at, 56);
  if (record.getUint32(0, true) !== 0x06064b50 || wide(record, 24) !== wide(record, 32))
    throw broken(source, 'The zip64 end of the archive is damaged', at);
  return { count: wide(record, 32), size: wide(record, 40), offset: wide(record, 48), end: at };
}

/**
 * Reads and checks one entry. Throws `zip/format`, `zip/size`, `zip/checksum`, and
 * `zip/overlap` when it shares bytes with the next one.
 */
export async function readZipEntry(source: Source, entry: ZipEntry): Promise<Uint8Array> {
  const origin = { file: source.name, offset: entry.offset };
  const local = await viewOf(source, entry.offset, 30);
  if (local.getUint32(0, true) !== 0x04034b50)
    throw broken(source, `${JSON.stringify(entry.name)} has no header`, entry.offset);
  const start = entry.offset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + entry.compressedSize > entry.end) {
    throw zipDiagnostics.error('overlap', {
      message: `${JSON.stringify(entry.name)} overlaps what follows it.`,
      origin,
    });
  }
  const packed = await source.read({ offset: start, length: entry.compressedSize });
  const bytes = entry.compression === 'stored' ? packed : inflate(packed, entry, source.name);
  if (crc32(bytes) !== entry.crc32)
    throw zipDiagnostics.error('checksum', {
      message: `${JSON.stringify(entry.name)} does not have its CRC.`,
      origin,
    });
  return bytes;
}

/** Inflates by pages, so that a lying size is noticed before it costs memory. */
function inflate(packed: Uint8Array, entry: ZipEntry, file: string): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  const wrong = (why: string) =>
    zipDiagnostics.error('size', {
      message: `${JSON.stringify(entry.name)} ${why}.`,
      origin: { file, offset: entry.offset },
    });
  const stream = new Inflate((chunk) => {
    length += chunk.length;
    chunks.push(chunk);
  });
  for (let at = 0; at < packed.length; at += pageBytes) {
    try {
      stream.push(packed.subarray(at, at + pageBytes), at + pageBytes >= packed.length);
    } catch {
      throw wrong('is damaged');
    }
    if (length > entry.size) throw wrong(`inflates to more than ${entry.size} bytes`);
  }
  if (length !== entry.size) throw wrong(`inflates to ${length} bytes and not to ${entry.size}`);
  const out = new Uint8Array(length);
  let filled = 0;
  for (const chunk of chunks) {
    out.set(chunk, filled);
    filled += chunk.length;
  }
  return out;
}
