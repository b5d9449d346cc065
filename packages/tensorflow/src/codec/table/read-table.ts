import type { Source } from '@drover/core';
import {
  readBlock,
  TableTally,
  trailerBytes,
  type BlockHandle,
  type TableEntry,
  type TableLimits,
} from './block.js';
import { ByteCursor } from './byte-cursor.js';
import { compareBytes } from './compare-bytes.js';

/** The last bytes of a table. */
export const tableMagic = Uint8Array.of(0x57, 0xfb, 0x80, 0x8b, 0x24, 0x75, 0x47, 0xdb);
/** Two handles of at most 20 bytes each, and the magic. */
export const footerBytes = 48;

/** Whether the last bytes of a file are those of a table. */
export const isTableEnd = (bytes: Uint8Array): boolean =>
  bytes.length >= tableMagic.length &&
  tableMagic.every((byte, i) => bytes.at(i - tableMagic.length) === byte);

/** A block of entries, and the last key that it may hold. */
interface Block extends BlockHandle {
  readonly last: Uint8Array;
}

const defaultLimits: TableLimits = { maxEntries: 1_000_000, maxKeyBytes: 2 ** 28 };

/**
 * A sorted table in a file, as TensorFlow and LevelDB write them: opened by its footer and its
 * index, blocks read when they are asked for.
 */
export class Table {
  private constructor(
    readonly source: Source,
    private readonly blocks: readonly Block[],
    private readonly limits: TableLimits,
  ) {}

  /** Throws `tensorflow/table`, `tensorflow/checksum` and `core/limit`. */
  static async open(source: Source, limits: Partial<TableLimits> = {}): Promise<Table> {
    const all = { ...defaultLimits, ...limits };
    const start = Math.max(0, source.size - footerBytes);
    const bytes = await source.read({ offset: start, length: source.size - start });
    const footer = new ByteCursor(bytes, source.name, start);
    if (bytes.length < footerBytes || !isTableEnd(bytes))
      throw footer.error(`${source.name} does not end as a table does`);
    // The first is of a block that says something about the others: nothing, in all versions.
    handleOf(footer, start);
    const index = handleOf(footer, start);
    const blocks: Block[] = [];
    let end = 0;
    for (const { key, value } of await readBlock(source, index, new TableTally(all))) {
      const at = new ByteCursor(value, source.name, index.offset);
      const handle = handleOf(at, index.offset);
      // One after the other: a table that names a block again and again would cost without end.
      if (handle.offset < end) throw at.error('Two blocks of a table overlap');
      end = handle.offset + handle.size + trailerBytes;
      blocks.push({ ...handle, last: key });
    }
    return new Table(source, blocks, all);
  }

  /** All entries, in the order of their keys. */
  async *entries(): AsyncGenerator<TableEntry> {
    const tally = new TableTally(this.limits);
    for (const i of this.blocks.keys()) yield* await this.#read(i, tally);
  }

  /** The entry of a key: its block is read. */
  async find(key: Uint8Array): Promise<TableEntry | undefined> {
    let [low, high] = [0, this.blocks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareBytes(this.blocks[middle]!.last, key) < 0) low = middle + 1;
      else high = middle;
    }
    if (low === this.blocks.length) return undefined;
    const entries = await this.#read(low, new TableTally(this.limits));
    return entries.find((each) => compareBytes(each.key, key) === 0);
  }

  async #read(i: number, tally: TableTally): Promise<readonly TableEntry[]> {
    const block = this.blocks[i]!;
    const entries = await readBlock(this.source, block, tally);
    const [first, last] = [entries[0], entries.at(-1)];
    const before = this.blocks[i - 1]?.last;
    if (
      (last && compareBytes(last.key, block.last) > 0) ||
      (first && before && compareBytes(first.key, before) <= 0)
    )
      throw new ByteCursor(block.last, this.source.name, block.offset).error(
        'A block holds keys that its index has elsewhere',
      );
    return entries;
  }
}

/** The place of a block that ends before `limit`. */
function handleOf(at: ByteCursor, limit: number): BlockHandle {
  const offset = at.varint();
  const size = at.varint();
  if (offset + size + trailerBytes > limit)
    throw at.error(`A block of ${size} bytes at ${offset} does not end before ${limit}`);
  return { offset, size };
}
