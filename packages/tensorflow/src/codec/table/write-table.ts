import type { SinkFile } from '@drover/core';
import { maskedCrcOf } from '../masked-crc.js';
import type { TableEntry } from './block.js';
import { footerBytes, tableMagic } from './read-table.js';

/** As TensorFlow writes tables (tensorflow/core/lib/io/table_options.h). */
const blockBytes = 262_144;
const restartInterval = 16;

/** Bytes that are put together. */
class Bytes {
  #bytes = new Uint8Array(1024);
  length = 0;

  add(bytes: Uint8Array): void {
    const length = this.length + bytes.length;
    if (length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, this.length));
      this.#bytes = grown;
    }
    this.#bytes.set(bytes, this.length);
    this.length = length;
  }

  u32(value: number): void {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, value, true);
    this.add(bytes);
  }

  get value(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }
}

/** A varint: seven bits a byte, the lowest first. */
export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

/** A block under way. */
class BlockBuilder {
  readonly #bytes = new Bytes();
  readonly #restarts = [0];
  #sinceRestart = 0;
  last = new Uint8Array(0);

  constructor(private readonly interval: number) {}

  add(key: Uint8Array, value: Uint8Array): void {
    let shared = 0;
    if (this.#sinceRestart < this.interval)
      while (shared < Math.min(key.length, this.last.length) && key[shared] === this.last[shared])
        shared++;
    else {
      this.#restarts.push(this.#bytes.length);
      this.#sinceRestart = 0;
    }
    for (const each of [shared, key.length - shared, value.length]) this.#bytes.add(varint(each));
    this.#bytes.add(key.subarray(shared));
    this.#bytes.add(value);
    this.last = new Uint8Array(key);
    this.#sinceRestart++;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Bytes that it would take as it is. */
  get size(): number {
    return this.#bytes.length + 4 * this.#restarts.length + 4;
  }

  finish(): Uint8Array {
    for (const each of this.#restarts) this.#bytes.u32(each);
    this.#bytes.u32(this.#restarts.length);
    return this.#bytes.value;
  }
}

/**
 * Writes a sorted table as TensorFlow does, byte for byte, without compression. Entries are given
 * in the order of their keys; each of them is small beside a block. The file is not closed.
 */
export async function writeTable(file: SinkFile, entries: Iterable<TableEntry>): Promise<void> {
  let at = 0;
  const put = async (content: Uint8Array): Promise<Uint8Array> => {
    const kind = Uint8Array.of(0);
    const trailer = new Bytes();
    trailer.add(kind);
    trailer.u32(maskedCrcOf(content, kind));
    await file.write(content);
    await file.write(trailer.value);
    const handle = new Bytes();
    handle.add(varint(at));
    handle.add(varint(content.length));
    at += content.length + trailer.length;
    return handle.value;
  };
  const index = new BlockBuilder(1);
  let block = new BlockBuilder(restartInterval);
  let pending: { readonly last: Uint8Array; readonly handle: Uint8Array } | undefined;
  const flush = async (): Promise<void> => {
    if (block.isEmpty) return;
    pending = { last: block.last, handle: await put(block.finish()) };
    block = new BlockBuilder(restartInterval);
  };
  for (const { key, value } of entries) {
    if (key.length + value.length >= 2 * blockBytes) await flush();
    if (pending) index.add(separator(pending.last, key), pending.handle);
    pending = undefined;
    block.add(key, value);
    if (block.size >= blockBytes) await flush();
  }
  await flush();
  const meta = await put(new BlockBuilder(restartInterval).finish());
  if (pending) index.add(successor(pending.last), pending.handle);
  const handles = new Bytes();
  handles.add(meta);
  handles.add(await put(index.finish()));
  const footer = new Uint8Array(footerBytes);
  footer.set(handles.value);
  footer.set(tableMagic, footerBytes - tableMagic.length);
  await file.write(footer);
}

/** A short key from `last` on and before `next`. */
function separator(last: Uint8Array, next: Uint8Array): Uint8Array {
  let i = 0;
  while (i < Math.min(last.length, next.length) && last[i] === next[i]) i++;
  if (i >= Math.min(last.length, next.length) || last[i]! + 1 >= next[i]!) return last;
  return withNext(last, i);
}

/** A short key from `last` on. */
function successor(last: Uint8Array): Uint8Array {
  const i = last.findIndex((byte) => byte !== 0xff);
  return i < 0 ? last : withNext(last, i);
}

/** The bytes up to one, and that one increased. */
function withNext(key: Uint8Array, i: number): Uint8Array {
  const out = key.slice(0, i + 1);
  out[i]!++;
  return out;
}
