import { ByteHandle, type ByteSource, type DroverError } from '@drover/core';
import { readZip, type ZipArchive, type ZipEntry } from '@drover/zip';
import { pytorchDiagnostics } from '../diagnostics.js';

/**
 * An archive of records below one folder, whatever it is called. PyTorch finds records without
 * regard to case, and in the folder of the first one: an archive in which that makes a difference
 * is refused.
 */
export class RecordArchive {
  private constructor(
    readonly source: ByteSource,
    private readonly archive: ZipArchive,
    /** The folder with its `/`; empty for the oldest `.pt2`, which have none. */
    readonly root: string,
  ) {}

  /** Opens an archive. Throws `pytorch/container` and what `readZip` throws. */
  static async open(source: ByteSource): Promise<RecordArchive> {
    const archive = await readZip(source);
    const files = archive.entries.filter(({ name }) => !name.endsWith('/'));
    const [first] = files;
    if (!first) throw new RecordArchive(source, archive, '').error('There are no records');
    const root = first.name.slice(0, first.name.indexOf('/') + 1);
    const records = new RecordArchive(source, archive, root);
    const stray = files.find(({ name }) => !name.startsWith(root));
    if (stray)
      throw records.error(
        `${JSON.stringify(stray.name)} is in another folder than ${JSON.stringify(first.name)}`,
      );
    return records;
  }

  /** Names of the records, without the folder. */
  get names(): readonly string[] {
    return this.archive.entries
      .map(({ name }) => name.slice(this.root.length))
      .filter((name) => name !== '' && !name.endsWith('/'));
  }

  /** Whether there is a record. Throws `pytorch/container` for one in another case. */
  has(name: string): boolean {
    if (this.archive.get(this.root + name)) return true;
    const other = this.names.find((each) => each.toLowerCase() === name.toLowerCase());
    if (other !== undefined)
      throw this.error(`${JSON.stringify(other)} stands for ${JSON.stringify(name)}`);
    return false;
  }

  /**
   * The bytes of a record, which has to be stored as it is. Throws `pytorch/container` when it is
   * missing or compressed.
   */
  async read(name: string): Promise<ByteHandle> {
    const entry = this.has(name) ? this.archive.get(this.root + name)! : undefined;
    if (!entry) throw this.error(`There is no record ${JSON.stringify(name)}`);
    if (entry.compression !== 'stored') throw this.error(`${JSON.stringify(name)} is compressed`);
    return this.#open(entry);
  }

  /**
   * The text of a record; undefined where it is missing. Throws `pytorch/container` when it is
   * longer than `maxBytes` or no UTF-8.
   */
  async text(name: string, maxBytes = 1000): Promise<string | undefined> {
    if (!this.has(name)) return undefined;
    const handle = await this.#open(this.archive.get(this.root + name)!);
    if (handle.length > maxBytes)
      throw this.error(`${JSON.stringify(name)} has ${handle.length} bytes`);
    const bytes = await handle.read();
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      throw this.error(`${JSON.stringify(name)} is no text`);
    }
  }

  async #open(entry: ZipEntry): Promise<ByteHandle> {
    const handle = await this.archive.open(entry);
    // torch.serialization.set_crc32_options(False) leaves the sums at 0.
    return entry.crc32 === 0 && entry.size > 0 && entry.compression === 'stored'
      ? ByteHandle.range(this.source, handle.origin.offset, entry.size)
      : handle;
  }

  /** Whether numbers have their most significant byte first. Throws `pytorch/container`. */
  async isBigEndian(): Promise<boolean> {
    const order = (await this.text('byteorder')) ?? 'little';
    if (order !== 'little' && order !== 'big')
      throw this.error(`The byte order is ${JSON.stringify(order.slice(0, 20))}`);
    return order === 'big';
  }

  /** What the records of versions say. */
  async versions(): Promise<Record<string, string>> {
    const versions = new Map<string, string>();
    for (const name of ['version', '.format_version', 'archive_version', '.data/version']) {
      const text = await this.text(name);
      if (text !== undefined) versions.set(name, text.trim());
    }
    return Object.fromEntries(versions);
  }

  /** The error that the archive is none of PyTorch's. */
  error(why: string): DroverError {
    return pytorchDiagnostics.error('container', {
      message: `${why} in ${this.source.name}.`,
      origin: { file: this.source.name },
    });
  }
}
