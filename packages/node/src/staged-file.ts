import { createHash } from 'node:crypto';
import { closeSync, fsync, openSync, rmSync, write } from 'node:fs';
import { promisify } from 'node:util';
import type { SinkFile } from '@drover/core';
import { nodeDiagnostics } from './diagnostics.js';
import { systemCode } from './file-source.js';

/** A file as it was written. */
export interface WrittenFile {
  /** Path as the user would name it. */
  readonly path: string;
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

const writeFrom = promisify(write);
const flushToDisk = promisify(fsync);
/** Encoders write many small pieces; they are gathered into blocks of this size. */
const blockBytes = 2 ** 18;
/** One call must stay below 2 GiB. */
const maxCallBytes = 2 ** 30;

/**
 * A temporary file that is being written, hashed on the way. It is created at once, so that whoever
 * interrupts can remove it by its path.
 */
export class StagedFile implements SinkFile {
  readonly #hash = createHash('sha256');
  readonly #block = new Uint8Array(blockBytes);
  #filled = 0;
  #bytes = 0;
  #fd: number | undefined;
  #sha256: string | undefined;

  /** `target` is what messages name. Throws `node/cannot-write`. */
  constructor(
    readonly target: string,
    readonly temporary: string,
  ) {
    try {
      this.#fd = openSync(temporary, 'wx');
    } catch (error) {
      throw this.#failure(error);
    }
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (bytes.length + this.#filled > blockBytes) await this.#flush();
    if (bytes.length > blockBytes) return this.#put(bytes);
    this.#block.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Ends the file and waits until it is on the disk. */
  async close(): Promise<void> {
    await this.#flush();
    const fd = this.#open();
    try {
      await flushToDisk(fd);
    } catch (error) {
      throw this.#failure(error);
    }
    this.#release();
    this.#sha256 = this.#hash.digest('hex');
  }

  /** What was written; undefined before `close`. */
  get written(): WrittenFile | undefined {
    return this.#sha256 === undefined
      ? undefined
      : { path: this.target, bytes: this.#bytes, sha256: this.#sha256 };
  }

  /** Removes the temporary file, whatever its state. */
  discard(): void {
    this.#release();
    rmSync(this.temporary, { force: true });
  }

  #release(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  async #flush(): Promise<void> {
    const block = this.#block.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#put(block);
  }

  async #put(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    for (let done = 0; done < bytes.length;) {
      const fd = this.#open();
      try {
        done += (await writeFrom(fd, bytes, done, Math.min(bytes.length - done, maxCallBytes)))
          .bytesWritten;
      } catch (error) {
        throw this.#failure(error);
      }
    }
  }

  #open(): number {
    if (this.#fd === undefined) throw this.#failure('it is closed');
    return this.#fd;
  }

  #failure(error: unknown): Error {
    const message = `${JSON.stringify(this.target)} cannot be written (${systemCode(error)}).`;
    return nodeDiagnostics.error('cannot-write', { message, origin: { file: this.target } });
  }
}
