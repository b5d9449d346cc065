import type { ByteHandle } from '@drover/core';

/** Bytes of a page: what is read at once where less is asked for. */
const pageBytes = 65_536;
/** Bytes of pages that are kept between two uses. */
const keptBytes = 16 * 2 ** 20;

/**
 * Bytes that are read when asked for, kept in pages, for a library that reads synchronously: what
 * is not there yet is noted, to be loaded before the library is asked once more.
 */
export class PagedBytes {
  readonly #pages = new Map<number, Uint8Array>();
  /** First and last page of what was asked for in vain. */
  #missing: (readonly [first: number, last: number])[] = [];
  #users = 0;

  constructor(readonly bytes: ByteHandle) {}

  /** Whether something was asked for that is not there. */
  get isMissing(): boolean {
    return this.#missing.length > 0;
  }

  /**
   * Copies what stands at a position, as much as there is and `target` takes; returns how much that
   * is, or undefined when a page is missing.
   */
  copy(position: number, target: Uint8Array): number | undefined {
    const length = Math.max(0, Math.min(target.length, this.bytes.length - position));
    if (length === 0) return 0;
    const first = Math.floor(position / pageBytes);
    const last = Math.floor((position + length - 1) / pageBytes);
    for (let page = first; page <= last; page++) {
      if (this.#pages.has(page)) continue;
      this.#missing.push([page, last]);
      return undefined;
    }
    for (let page = first; page <= last; page++) {
      const start = page * pageBytes;
      const from = Math.max(position, start);
      const bytes = this.#pages.get(page)!.subarray(from - start, position + length - start);
      target.set(bytes, from - position);
    }
    return length;
  }

  /** Loads what was asked for. */
  async load(): Promise<void> {
    const missing = this.#missing;
    this.#missing = [];
    for (const [first, last] of missing) {
      const offset = first * pageBytes;
      const length = Math.min((last + 1) * pageBytes, this.bytes.length) - offset;
      const loaded = await this.bytes.read({ offset, length });
      for (let page = first; page <= last; page++) {
        const start = (page - first) * pageBytes;
        this.#pages.set(page, loaded.subarray(start, start + pageBytes));
      }
    }
  }

  /** Keeps every page while `work` runs; old ones go after it. */
  async keeping<T>(work: () => Promise<T>): Promise<T> {
    this.#users++;
    try {
      return await work();
    } finally {
      this.#users--;
      this.#missing = [];
      if (this.#users === 0)
        for (const page of this.#pages.keys()) {
          if (this.#pages.size * pageBytes <= keptBytes) break;
          this.#pages.delete(page);
        }
    }
  }
}
