import { coreDiagnostics, type DroverError, type Source } from '@drover/core';
import { mxnetDiagnostics } from '../diagnostics.js';

/**
 * Reads numbers of a params file in order, through a window, so that headers cost few reads and
 * elements none.
 */
export class ParamsReader {
  #window: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  offset = 0;

  constructor(
    readonly source: Source,
    private readonly windowBytes = 1 << 16,
  ) {}

  /** Bytes from here to the end of the file. */
  get remaining(): number {
    return this.source.size - this.offset;
  }

  /** The error that something is wrong at `offset`. */
  error(message: string, offset = this.offset): DroverError {
    return mxnetDiagnostics.error('params', {
      message,
      origin: { file: this.source.name, offset },
    });
  }

  async #at(length: number): Promise<number> {
    if (length > this.remaining) {
      throw coreDiagnostics.error('range', {
        message: `${this.source.name} ends within a field of ${length} bytes at ${this.offset}.`,
        origin: { file: this.source.name, offset: this.offset },
      });
    }
    if (this.offset < this.#start || this.offset + length > this.#start + this.#window.byteLength) {
      const bytes = await this.source.read({
        offset: this.offset,
        length: Math.min(this.remaining, Math.max(length, this.windowBytes)),
      });
      this.#window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#start = this.offset;
    }
    const at = this.offset - this.#start;
    this.offset += length;
    return at;
  }

  async u32(): Promise<number> {
    const at = await this.#at(4);
    return this.#window.getUint32(at, true);
  }

  async i32(): Promise<number> {
    const at = await this.#at(4);
    return this.#window.getInt32(at, true);
  }

  async i64(): Promise<bigint> {
    const at = await this.#at(8);
    return this.#window.getBigInt64(at, true);
  }

  async u64(): Promise<bigint> {
    const at = await this.#at(8);
    return this.#window.getBigUint64(at, true);
  }

  /** UTF-8 text after its 64-bit length. */
  async text(maxBytes: number): Promise<string> {
    const offset = this.offset;
    const length = await this.u64();
    if (length > BigInt(this.remaining))
      throw this.error(`A name of ${length} bytes leaves the file.`, offset);
    if (length > BigInt(maxBytes)) {
      throw coreDiagnostics.error('limit', {
        message: `A name has ${length} bytes (maxNameBytes ${maxBytes}).`,
        origin: { file: this.source.name, offset },
      });
    }
    const at = await this.#at(Number(length));
    const bytes = new Uint8Array(this.#window.buffer, this.#window.byteOffset + at, Number(length));
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw this.error('A name is not UTF-8 text.', offset);
    }
  }

  /** Moves over `length` bytes that belong to a record, without reading them. */
  skip(length: number): void {
    if (length > this.remaining)
      throw this.error(
        `${length} bytes of elements leave the file, of which ${this.remaining} bytes remain.`,
      );
    this.offset += length;
  }
}
