import type { DroverError, ByteSource } from '@drover/core';
import { protobufDiagnostics } from './diagnostics.js';

const windowBytes = 64 * 1024;

/**
 * A cursor over a file that holds a stretch of it in memory. Numbers are read without waiting from
 * what `fill` has made sure of.
 */
export class ByteWindow {
  /** Low and high 32 bits, unsigned, of the varint that was read last. */
  lo = 0;
  hi = 0;
  bytes: Uint8Array = new Uint8Array(0);
  /** Index within `bytes` of the next byte. */
  at = 0;
  #base = 0;

  constructor(readonly source: ByteSource) {}

  /** Position in the file of the next byte. */
  get offset(): number {
    return this.#base + this.at;
  }

  /** Whether `count` bytes, or all that the file still has, are in memory. */
  has(count: number): boolean {
    return (
      this.at + count <= this.bytes.length || this.#base + this.bytes.length >= this.source.size
    );
  }

  /** Brings `count` bytes from the cursor on into memory, or fewer where the file ends. */
  async fill(count: number): Promise<void> {
    if (this.has(count)) return;
    const offset = this.offset;
    const length = Math.min(Math.max(count, windowBytes), this.source.size - offset);
    this.bytes = await this.source.read({ offset, length });
    this.#base = offset;
    this.at = 0;
  }

  /** Moves on by `count` bytes without reading them. */
  skip(count: number): void {
    this.at += count;
  }

  /** Moves to a position in the file. */
  seek(offset: number): void {
    this.at = offset - this.#base;
    if (this.at >= 0) return;
    this.bytes = new Uint8Array(0);
    this.#base = offset;
    this.at = 0;
  }

  /** The next `count` bytes, as a view of the window. They must be in memory. */
  take(count: number): Uint8Array {
    this.at += count;
    return this.bytes.subarray(this.at - count, this.at);
  }

  /**
   * Reads a varint of up to 64 bits into `lo` and `hi`. Throws `protobuf/wire` at the end of the
   * file and past ten bytes.
   */
  varint(): void {
    const { bytes } = this;
    let lo = 0;
    let hi = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= bytes.length) throw this.error('The file ends within a number');
      const byte = bytes[this.at++]!;
      const bits = byte & 127;
      if (shift < 28) lo |= bits << shift;
      else if (shift === 28) {
        lo |= bits << 28;
        hi = bits >>> 4;
      } else hi |= bits << (shift - 32);
      if (byte < 128) {
        if (shift === 63 && byte > 1) break;
        this.lo = lo >>> 0;
        this.hi = hi >>> 0;
        return;
      }
    }
    throw this.error('A number is longer than 64 bits');
  }

  /** `protobuf/wire` at a position, the cursor's unless another is given. */
  error(message: string, offset = this.offset): DroverError {
    return protobufDiagnostics.error('wire', {
      message: `${message}, at byte ${offset} of ${this.source.name}.`,
      origin: { file: this.source.name, offset },
    });
  }
}
