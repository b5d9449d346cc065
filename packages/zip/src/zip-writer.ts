import { coreDiagnostics, type ByteHandle, type SinkFile } from '@drover/core';
import { Crc, crc32Code } from '@drover/core/format';
import { zipDiagnostics } from './diagnostics.js';
import { record, u16, u32, u64 } from './record.js';
import { transformed } from './transform.js';
import { nameFault, nameKey, type ZipNames } from './zip-entry.js';

/** How an archive is written. */
export interface ZipWriterOptions {
  /** `paths` unless told. */
  readonly names?: ZipNames;
  /**
   * What the offsets of stored entries are multiples of: 1 unless told, 64 where they are mapped
   * into memory.
   */
  readonly align?: number;
}

/** How one entry is written. */
export interface AddOptions {
  /** `stored` unless told. */
  readonly compression?: 'stored' | 'deflate';
}

interface Written {
  readonly name: Uint8Array;
  readonly method: number;
  readonly crc32: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly offset: number;
}

/** UTF-8 names, and sums and sizes that follow the data. */
const flags = 0x0808;
/** 1 January 1980: equal content gives equal bytes. */
const date = 0x21;
const max16 = 0xffff;
const max32 = 0xffffffff;
/** DEFLATE makes nothing longer by more than a few bytes for each block of 16 KiB. */
const deflateMargin = 1.001;
const alignmentExtra = 0xa11e;
/** Made on Unix: Info-ZIP takes names of other systems for text of another encoding. */
const unix = 3 << 8;
/** A file that its owner writes and all read, where Unix keeps it: -rw-r--r--. */
const plainFile = (0o100644 << 16) >>> 0;

/**
 * Writes a ZIP archive to a file as its entries come, without going back: data in pieces, sums
 * behind it, zip64 where an entry or the archive needs it. PyTorch writes the same form. The file
 * is not closed.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export class ZipWriter {
  readonly #entries: Written[] = [];
  readonly #keys = new Set<string>();
  readonly #names: ZipNames;
  readonly #align: number;
  #at = 0;

  constructor(
    readonly file: SinkFile,
    { names = 'paths', align = 1 }: ZipWriterOptions = {},
  ) {
    this.#names = names;
    this.#align = align;
  }

  /**
   * Writes an entry. Throws `zip/name` or `core/duplicate` for a name that a reader would refuse,
   * and the errors of `content`.
   */
  async add(
    name: string,
    content: ByteHandle,
    { compression = 'stored' }: AddOptions = {},
  ): Promise<void> {
    const bytes = this.#checkedName(name);
    const method = compression === 'stored' ? 0 : 8;
    const offset = this.#at;
    const isWide = content.length * (method === 0 ? 1 : deflateMargin) >= max32;
    await this.#put(this.#localHeader(bytes, method, isWide));
    const start = this.#at;
    const sum = new Crc(crc32Code);
    const summed = async function* () {
      for await (const piece of content.chunks()) {
        sum.add(piece);
        yield piece;
      }
    };
    if (method === 0) for await (const piece of summed()) await this.#put(piece);
    else {
      const stream = new CompressionStream('deflate-raw');
      const refused = () =>
        zipDiagnostics.error('unsupported', {
          message: `${JSON.stringify(name)} cannot be deflated here.`,
          origin: { file: '', node: name },
        });
      const pieces = transformed(summed(), stream, refused);
      for await (const piece of pieces) await this.#put(piece);
    }
    const compressedSize = this.#at - start;
    const entry = { name: bytes, method, crc32: sum.value, size: content.length, compressedSize };
    this.#entries.push({ ...entry, offset });
    const counts = isWide ? u64 : u32;
    await this.#put(
      record(u32(0x08074b50), u32(sum.value), counts(compressedSize), counts(content.length)),
    );
  }

  /** Writes the directory, which ends the archive. */
  async finish(): Promise<void> {
    const start = this.#at;
    for (const entry of this.#entries) await this.#put(directoryEntry(entry));
    const [size, count] = [this.#at - start, this.#entries.length];
    if (count >= max16 || size >= max32 || start >= max32) {
      const end = this.#at;
      const versions = record(u16(45), u16(45));
      const counts = record(u64(count), u64(count), u64(size), u64(start));
      await this.#put(record(u32(0x06064b50), u64(44), versions, u32(0), u32(0), counts));
      await this.#put(record(u32(0x07064b50), u32(0), u64(end), u32(1)));
    }
    const entries = u16(Math.min(count, max16));
    const place = record(u32(Math.min(size, max32)), u32(Math.min(start, max32)));
    await this.#put(record(u32(0x06054b50), u16(0), u16(0), entries, entries, place, u16(0)));
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#at += bytes.length;
    await this.file.write(bytes);
  }

  #checkedName(name: string): Uint8Array {
    const bytes = new TextEncoder().encode(name);
    const origin = { file: '', node: name };
    const fault = /\p{Surrogate}/u.test(name)
      ? 'is not well-formed Unicode'
      : bytes.length > max16
        ? `is longer than ${max16} bytes`
        : nameFault(name, this.#names);
    if (fault !== undefined)
      throw zipDiagnostics.error('name', {
        message: `${JSON.stringify(name.slice(0, 80))} ${fault}.`,
        origin,
      });
    const key = nameKey(name, this.#names);
    if (this.#keys.has(key)) {
      const message = `The archive has an entry ${JSON.stringify(name)} already.`;
      throw coreDiagnostics.error('duplicate', { message, origin });
    }
    this.#keys.add(key);
    return bytes;
  }

  /** The header before the data: sums and sizes follow it. */
  #localHeader(name: Uint8Array, method: number, isWide: boolean): Uint8Array {
    const wide = isWide ? record(u16(1), u16(16), u64(0), u64(0)) : new Uint8Array(0);
    const before = this.#at + 30 + name.length + wide.length;
    const padding =
      method !== 0 || before % this.#align === 0
        ? new Uint8Array(0)
        : alignment(before, this.#align);
    const size = u32(isWide ? max32 : 0);
    return record(
      ...[u32(0x04034b50), u16(isWide ? 45 : 20), u16(flags), u16(method), u16(0), u16(date)],
      ...[u32(0), size, size, u16(name.length), u16(wide.length + padding.length)],
      ...[name, wide, padding],
    );
  }
}

/** An extra field after which the next byte stands at a multiple of `align`. */
function alignment(before: number, align: number): Uint8Array {
  const missing = align - ((before + 6) % align);
  const padding = missing === align ? 0 : missing;
  return record(u16(alignmentExtra), u16(2 + padding), u16(align), new Uint8Array(padding));
}

function directoryEntry(entry: Written): Uint8Array {
  const { name, method, crc32, size, compressedSize, offset } = entry;
  // In this order, and only those that do not fit.
  const wide = [size, compressedSize, offset].filter((value) => value >= max32);
  const extra =
    wide.length > 0 ? record(u16(1), u16(8 * wide.length), ...wide.map(u64)) : new Uint8Array(0);
  const version = wide.length > 0 ? 45 : 20;
  const [small, smallCompressed, smallOffset] = [size, compressedSize, offset].map((value) =>
    u32(Math.min(value, max32)),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  return record(
    ...[u32(0x02014b50), u16(unix | version), u16(version), u16(flags), u16(method)],
    ...[u16(0), u16(date)],
    ...[u32(crc32), smallCompressed, small, u16(name.length), u16(extra.length), u16(0)],
    ...[u16(0), u16(0), u32(plainFile), smallOffset, name, extra],
  );
}
