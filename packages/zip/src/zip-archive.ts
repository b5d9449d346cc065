import { ByteHandle, type ByteSource } from '@drover/core';
import { Crc, crc32Code, type ByteCheck, type ByteEncoding } from '@drover/core/format';
import { zipDiagnostics } from './diagnostics.js';
import { transformed } from './transform.js';
import {
  broken,
  localBytes,
  overlapError,
  readDirectory,
  textOf,
  viewOf,
  zipLimits,
  type ZipLimits,
} from './zip-directory.js';
import type { ZipEntry, ZipNames } from './zip-entry.js';

/** How an archive is read. */
export interface ReadZipOptions extends Partial<ZipLimits> {
  /** `paths` unless told. */
  readonly names?: ZipNames;
}

/**
 * Reads the directory of a ZIP archive, zip64 included; no entry is read. Symbolic links, names
 * that leave the archive or hold NUL, two entries of one name, and entries that share bytes are
 * refused; so are, for `paths`, absolute ones and such as differ in case alone. What an entry holds
 * is not looked into: an archive within an archive is the caller's matter. Errors: `zip/format`,
 * `zip/name`, `core/duplicate`, `zip/overlap`, `zip/unsupported`, `core/limit`.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
export async function readZip(
  source: ByteSource,
  options: ReadZipOptions = {},
): Promise<ZipArchive> {
  const { names = 'paths', ...limits } = options;
  return new ZipArchive(source, await readDirectory(source, names, { ...zipLimits, ...limits }));
}

/** An archive that {@link readZip} opened. */
export class ZipArchive {
  readonly #byName: ReadonlyMap<string, ZipEntry>;

  constructor(
    readonly source: ByteSource,
    /** In the order of the directory. */
    readonly entries: readonly ZipEntry[],
  ) {
    this.#byName = new Map(entries.map((entry) => [entry.name, entry]));
  }

  /** The entry of a name. */
  get(name: string): ZipEntry | undefined {
    return this.#byName.get(name);
  }

  /**
   * The bytes of an entry, inflated. Only its header is read: a stored entry is a range of the
   * archive, so that `handle.origin.offset` is where it lies. Reading all of it checks its CRC.
   * Throws `zip/format`, `zip/name` or `zip/overlap`; reading throws `zip/size` or `zip/checksum`.
   */
  async open(entry: ZipEntry): Promise<ByteHandle> {
    const { source } = this;
    const { name, offset, end, compressedSize, compression, size } = entry;
    const nameBytes = new TextEncoder().encode(name).length;
    const header = await viewOf(source, offset, localBytes + nameBytes);
    if (header.getUint32(0, true) !== 0x04034b50)
      throw broken(source, `${JSON.stringify(name)} has no header`, offset);
    // Readers that walk over local headers would take it for another entry.
    if (
      header.getUint16(26, true) !== nameBytes ||
      textOf(source, header, localBytes, nameBytes, offset) !== name ||
      header.getUint16(8, true) !== (compression === 'stored' ? 0 : 8)
    )
      throw broken(source, `${JSON.stringify(name)} has the header of another entry`, offset);
    const start = offset + localBytes + nameBytes + header.getUint16(28, true);
    if (start + compressedSize > end) throw overlapError(source, name, offset);
    const stored = ByteHandle.range(source, start, compressedSize);
    const bytes =
      compression === 'stored' ? stored : stored.decoded(inflation(entry, source), size);
    return bytes.checked(checkOf(entry, source));
  }
}

/** DEFLATE, counted: what gives another size than the directory says is `zip/size`. */
function inflation({ name, offset, size }: ZipEntry, source: ByteSource): ByteEncoding {
  const wrong = (why: string) =>
    zipDiagnostics.error('size', {
      message: `${JSON.stringify(name)} ${why}.`,
      origin: { file: source.name, offset },
    });
  return {
    name: 'deflate',
    async *decode(stored) {
      const stream = new DecompressionStream('deflate-raw');
      let length = 0;
      for await (const piece of transformed(stored, stream, () => wrong('is damaged'))) {
        length += piece.length;
        if (length > size) throw wrong(`inflates to more than ${size} bytes`);
        yield piece;
      }
      if (length !== size) throw wrong(`inflates to ${length} bytes and not to ${size}`);
    },
  };
}

function checkOf({ name, offset, crc32 }: ZipEntry, source: ByteSource): ByteCheck {
  return {
    begin() {
      const sum = new Crc(crc32Code);
      return {
        add: (bytes) => sum.add(bytes),
        end: () => {
          if (sum.value === crc32) return;
          throw zipDiagnostics.error('checksum', {
            message: `${JSON.stringify(name)} does not have its CRC.`,
            origin: { file: source.name, offset },
          });
        },
      };
    },
  };
}
