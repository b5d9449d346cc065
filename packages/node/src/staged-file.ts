import { createHash } from 'node:crypto';
import { closeSync, fdatasync, fsync, openSync, rmSync, write } from 'node:fs';
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
const flushData = promisify(fdatasync);
/** What is written is gathered into blocks of this size. */
const blockBytes = 2 ** 21;
/** After so many bytes the disk is set to work, so that it does not begin when all is written. */
const flushBytes = 2 ** 26;

/** A block that is being filled, or waits to be. */
interface Block {
  readonly bytes: Uint8Array;
  filled: number;
}

/**
 * A temporary file that is being written, hashed on the way. It is created at once, so that whoever
 * interrupts can remove it by its path. One block is filled while the one before is written, and
 * the disk works beside both; what fails there shows at the next block, or when the file is
 * closed.
 */
export class StagedFile implements SinkFile {
  readonly #hash = createHash('sha256');
  #block: Block | undefined;
  #spare: Block | undefined;
  #writing: Promise<void> | undefined;
  #bytes = 0;
  #unflushed = 0;
  #flushing: Promise<void> | undefined;
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
    this.#open();
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    for (let done = 0; done < bytes.length;) {
      const block = (this.#block ??= this.#take());
      const part = bytes.subarray(done, done + blockBytes - block.filled);
      block.bytes.set(part, block.filled);
      block.filled += part.length;
      done += part.length;
      if (block.filled === blockBytes) await this.#writeBlock(block);
    }
  }

  /** Ends the file and waits until it is on the disk. */
  async close(): Promise<void> {
    if (this.#block) await this.#writeBlock(this.#block);
    await this.#writing;
    const fd = this.#open();
    try {
      await this.#flushing;
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
    const fd = this.#fd;
    this.#fd = undefined;
    this.#block = undefined;
    this.#spare = undefined;
    if (fd === undefined) return;
    // Closed under a block that waits to be written, its number could be another file's by then.
    if (this.#writing) void Promise.allSettled([this.#writing]).then(() => closeSync(fd));
    else closeSync(fd);
  }

  /** A block to fill. */
  #take(): Block {
    const block = this.#spare ?? { bytes: new Uint8Array(blockBytes), filled: 0 };
    this.#spare = undefined;
    return block;
  }

  /** Begins to write a block, once the one before is written. */
  async #writeBlock(block: Block): Promise<void> {
    await this.#writing;
    this.#block = undefined;
    const writing = this.#put(block.bytes.subarray(0, block.filled)).then(() => {
      block.filled = 0;
      this.#spare = block;
      this.#writing = undefined;
    });
    writing.catch(() => {});
    this.#writing = writing;
  }

  async #put(bytes: Uint8Array): Promise<void> {
    const fd = this.#open();
    try {
      for (let done = 0; done < bytes.length;)
        done += (await writeFrom(fd, bytes, done)).bytesWritten;
    } catch (error) {
      throw this.#failure(error);
    }
    this.#unflushed += bytes.length;
    if (this.#unflushed >= flushBytes && !this.#flushing) this.#beginFlush(fd);
  }

  /** Lets the disk write beside what follows. */
  #beginFlush(fd: number): void {
    this.#unflushed = 0;
    const flushing = flushData(fd).then(() => {
      this.#flushing = undefined;
    });
    flushing.catch(() => {});
    this.#flushing = flushing;
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
