import { createReadStream } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Sink, SinkFile } from '@drover/core';
import { nodeDiagnostics } from './diagnostics.js';
import { systemCode } from './file-source.js';
import { forget, remember } from './interruption.js';
import { StagedFile, type WrittenFile } from './staged-file.js';
import { temporaryName } from './temporary-name.js';

/** A sink for one file that goes to standard output at `commit`, and not a byte of it before. */
export class StandardOutput implements Sink {
  readonly main = '-';
  readonly removed: readonly string[] = [];
  #staged: StagedFile | undefined;
  #written: readonly WrittenFile[] = [];

  constructor(readonly stream: Writable = process.stdout) {}

  get written(): readonly WrittenFile[] {
    return this.#written;
  }

  async create(path: string): Promise<SinkFile> {
    if (this.#staged) {
      const message = `Standard output holds one file already, so ${JSON.stringify(path)} has no place.`;
      throw nodeDiagnostics.error('one-stream', { message, origin: { file: path } });
    }
    remember(this);
    this.#staged = new StagedFile('-', join(tmpdir(), temporaryName('stdout')));
    return this.#staged;
  }

  async commit(): Promise<void> {
    const staged = this.#staged;
    if (staged?.written === undefined) {
      throw nodeDiagnostics.error('cannot-write', {
        message: 'Nothing was written for standard output.',
        origin: { file: '-' },
      });
    }
    try {
      await pipeline(createReadStream(staged.temporary), this.stream, { end: false });
      this.#written = [staged.written];
    } catch (error) {
      throw nodeDiagnostics.error('cannot-write', {
        message: `Standard output cannot be written (${systemCode(error)}).`,
        origin: { file: '-' },
      });
    } finally {
      this.discard();
    }
  }

  async abort(): Promise<void> {
    this.discard();
  }

  /** Removes the temporary file. */
  discard(): void {
    this.#staged?.discard();
    this.#staged = undefined;
    forget(this);
  }
}
