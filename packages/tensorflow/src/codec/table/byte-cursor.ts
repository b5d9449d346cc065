import type { DroverError } from '@drover/core';
import { tensorflowDiagnostics } from '../../diagnostics.js';

/** Reads the numbers of a block of a table one after the other. Everything is checked. */
export class ByteCursor {
  constructor(
    readonly bytes: Uint8Array,
    /** In messages. */
    readonly file: string,
    /** Where the bytes begin in the file. */
    readonly base: number,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  /** The error that something is wrong here. */
  error(message: string): DroverError {
    return tensorflowDiagnostics.error('table', {
      message: `${message}.`,
      origin: { file: this.file, offset: this.base + this.at },
    });
  }

  /**
   * A varint that is at most `most`. Throws `tensorflow/table` for one that is longer than ten
   * bytes, larger, or cut off.
   */
  varint(most = Number.MAX_SAFE_INTEGER): number {
    let value = 0;
    for (let i = 0, unit = 1; i < 10; i++, unit *= 128) {
      if (this.at >= this.end) throw this.error('A number is cut off');
      const byte = this.bytes[this.at++]!;
      value += (byte & 127) * unit;
      if (byte < 128) {
        if (value > most) throw this.error(`A number is ${value}, and at most ${most} is possible`);
        return value;
      }
    }
    throw this.error('A number is longer than ten bytes');
  }

  /** The next bytes, as a view. Throws `tensorflow/table` where there are not so many. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at)
      throw this.error(`${length} bytes are asked for, and ${this.end - this.at} are left`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
}
