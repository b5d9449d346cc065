import type { Source } from '@drover/core';
import { coreDiagnostics } from '@drover/core';
import { compareCrc, maskedCrcOf } from '../masked-crc.js';
import { ByteCursor } from './byte-cursor.js';
import { compareBytes } from './compare-bytes.js';
import { decodeSnappy } from './snappy.js';

/** Where a block lies in the file, without its trailer. */
export interface BlockHandle {
  readonly offset: number;
  readonly size: number;
}

/** One entry of a block. */
export interface TableEntry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** What the entries of a table may cost. */
export interface TableLimits {
  /** Entries; a million unless told. */
  readonly maxEntries: number;
  /** Bytes of all keys, which a file may state in few: 256 MiB unless told. */
  readonly maxKeyBytes: number;
}

/** Counts what is read of a table against its limits. */
export class TableTally {
  #entries = 0;
  #keyBytes = 0;

  constructor(private readonly limits: TableLimits) {}

  /** Throws `core/limit` where an entry is one too many. */
  add(keyBytes: number, file: string): void {
    this.#entries++;
    this.#keyBytes += keyBytes;
    for (const [found, limit] of [
      [this.#entries, 'maxEntries'],
      [this.#keyBytes, 'maxKeyBytes'],
    ] as const)
      if (found > this.limits[limit])
        throw coreDiagnostics.error('limit', {
          message: `The table has more than ${this.limits[limit]} (${limit}).`,
          origin: { file },
        });
  }
}

/** What follows a block: its kind of compression and a masked CRC-32C. */
export const trailerBytes = 5;

/**
 * The entries of a block, in their order. Throws `tensorflow/checksum`, `tensorflow/table` and
 * `core/limit`.
 * @see https://github.com/google/leveldb/blob/main/doc/table_format.md
 */
export async function readBlock(
  source: Source,
  { offset, size }: BlockHandle,
  tally: TableTally,
): Promise<readonly TableEntry[]> {
  const stored = await source.read({ offset, length: size + trailerBytes });
  const [content, kind] = [stored.subarray(0, size), stored[size]!];
  const origin = { file: source.name, offset };
  const trailer = new DataView(stored.buffer, stored.byteOffset + size + 1, 4);
  const found = maskedCrcOf(stored.subarray(0, size + 1));
  compareCrc(found, trailer.getUint32(0, true), 'A block of the table', origin);
  const block = new ByteCursor(content, source.name, offset);
  if (kind === 0) return entriesOf(block, tally);
  if (kind !== 1) throw block.error(`The compression ${kind} of a block does not exist`);
  return entriesOf(new ByteCursor(decodeSnappy(block), source.name, offset), tally);
}

function entriesOf(block: ByteCursor, tally: TableTally): readonly TableEntry[] {
  const { bytes } = block;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = bytes.length < 8 ? 0 : view.getUint32(bytes.length - 4, true);
  const end = bytes.length - 4 - 4 * count;
  if (count === 0 || end < 0) throw block.error('The restarts of a block leave it');
  const restarts = Array.from({ length: count }, (_, i) => view.getUint32(end + 4 * i, true));
  const entries: TableEntry[] = [];
  const at = new ByteCursor(bytes, block.file, block.base, 0, end);
  let key: Uint8Array = new Uint8Array(0);
  let restart = 0;
  while (at.at < end) {
    const isRestart = at.at === restarts[restart];
    const shared = at.varint(key.length);
    const rest = at.varint(end);
    const length = at.varint(end);
    if (isRestart && shared !== 0) throw at.error('A restart shares the key before it');
    if (isRestart) restart++;
    const next = new Uint8Array(shared + checked(at, rest));
    tally.add(next.length, block.file);
    next.set(key.subarray(0, shared));
    next.set(at.take(rest), shared);
    if (entries.length > 0 && compareBytes(key, next) >= 0)
      throw at.error('The keys of a table are not in order');
    key = next;
    entries.push({ key, value: at.take(length) });
  }
  // A block without entries, too, has one restart.
  const isEmpty = entries.length === 0 && count === 1 && restarts[0] === 0;
  if (restart !== count && !isEmpty) throw block.error('A restart of a block is no entry');
  return entries;
}

/** A length that lies within what is left. */
function checked(at: ByteCursor, length: number): number {
  if (length > at.end - at.at) throw at.error('A key leaves its block');
  return length;
}
