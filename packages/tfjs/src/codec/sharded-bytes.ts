import { checkRange, type Source } from '@drover/core';

/** The bytes of several files, one after the other. */
export class ShardedBytes {
  readonly size: number;
  /** Where each shard begins. */
  readonly #starts: readonly number[];

  constructor(
    readonly name: string,
    private readonly shards: readonly Source[],
  ) {
    const starts: number[] = [];
    let at = 0;
    for (const shard of shards) {
      starts.push(at);
      at += shard.size;
    }
    this.#starts = starts;
    this.size = at;
  }

  /** Reads a range, which may span shards. Throws `core/range` when it leaves them. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    checkRange(this.name, this.size, { offset, length });
    let low = 0;
    let high = this.shards.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    const parts: Uint8Array[] = [];
    for (let i = low, at = offset, left = length; left > 0; i++) {
      const within = at - this.#starts[i]!;
      const take = Math.min(left, this.shards[i]!.size - within);
      if (take > 0) parts.push(await this.shards[i]!.read({ offset: within, length: take }));
      at += take;
      left -= take;
    }
    if (parts.length === 1) return parts[0]!;
    const out = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
