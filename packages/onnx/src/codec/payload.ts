import type { Source } from '@drover/core';
import type { Payload } from '../schema/message.js';

/** Bytes of one piece when a large payload is copied. */
const chunkBytes = 4 * 1024 * 1024;

/** A range of a file, read when it is asked for. */
export class RangePayload implements Payload {
  constructor(
    readonly source: Source,
    readonly offset: number,
    readonly length: number,
  ) {}

  read(): Promise<Uint8Array> {
    return this.source.read({ offset: this.offset, length: this.length });
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < this.length; at += chunkBytes) {
      yield await this.source.read({
        offset: this.offset + at,
        length: Math.min(chunkBytes, this.length - at),
      });
    }
  }
}

/** Whether a field's value is bytes or numbers to be read later, not an array in memory. */
export function isPayload(value: unknown): value is Payload {
  return (
    typeof value === 'object' &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    !Array.isArray(value) &&
    'read' in value
  );
}
