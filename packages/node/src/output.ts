import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { checkPath, coreDiagnostics, DroverError, type Sink, type SinkFile } from '@drover/core';
import { nodeDiagnostics } from './diagnostics.js';
import { systemCode } from './file-source.js';
import { forget, remember } from './interruption.js';
import { StagedFile, type WrittenFile } from './staged-file.js';
import { StandardOutput } from './standard-output.js';
import { sweep, temporaryName } from './temporary-name.js';

/** How to treat what stands at the place to write to. */
export interface OutputOptions {
  /** Replaces files of the same name. Without it they are a `node/exists` error, and stay. */
  readonly force?: boolean;
}

/** A sink on the file system (or standard output). */
export interface FileSink extends Sink {
  /**
   * Base name of the main file, where the user named one: the model is created under this name, its
   * weights beside it.
   */
  readonly main: string | undefined;
  /** The files that `commit` published, in that order. */
  readonly written: readonly WrittenFile[];
}

/** How a published file is taken back: by renaming the earlier file over it, or by removing it. */
interface Published {
  readonly target: string;
  readonly earlier: string | undefined;
}

class FolderSink implements FileSink {
  readonly #files: { readonly staged: StagedFile; readonly target: string }[] = [];
  readonly #madeFolders: string[] = [];
  readonly #ready = new Set<string>();
  #published: Published[] = [];
  #written: readonly WrittenFile[] = [];

  constructor(
    readonly folder: string,
    readonly main: string | undefined,
    readonly options: OutputOptions,
  ) {}

  get written(): readonly WrittenFile[] {
    return this.#written;
  }

  async create(path: string): Promise<SinkFile> {
    const shown = join(this.folder, checkPath(path, path));
    const target = resolve(shown);
    checkTarget(shown, target, this.options.force);
    remember(this);
    this.#makeFolder(dirname(target), shown);
    const home = realpathSync.native(this.folder);
    if (
      !(realpathSync.native(dirname(target)) + sep).startsWith(
        home.endsWith(sep) ? home : home + sep,
      )
    ) {
      throw coreDiagnostics.error('path', {
        message: `${JSON.stringify(path)} leads out of the folder to write to.`,
        origin: { file: shown },
      });
    }
    const staged = new StagedFile(shown, join(dirname(target), temporaryName(basename(target))));
    this.#files.push({ staged, target });
    return staged;
  }

  /** Makes a folder with its parents, and clears it of what killed processes left. */
  #makeFolder(folder: string, shown: string): void {
    if (this.#ready.has(folder)) return;
    for (let at = folder; !existsSync(at) && at !== dirname(at); at = dirname(at))
      this.#madeFolders.push(at);
    try {
      mkdirSync(folder, { recursive: true });
      sweep(folder);
    } catch (error) {
      throw writingError(shown, error);
    }
    this.#ready.add(folder);
  }

  async commit(): Promise<void> {
    // Renaming is synchronous, so that an interruption finds either nothing or everything of a step
    // done.
    const written = this.#files.map(
      ({ staged }) => staged.written ?? fail(staged.target, 'it was not closed'),
    );
    try {
      for (const { staged, target } of this.#files) {
        checkTarget(staged.target, target, this.options.force);
        this.#publish(staged, target);
      }
      for (const folder of new Set(this.#files.map(({ target }) => dirname(target))))
        flushFolder(folder);
    } catch (error) {
      this.discard();
      throw error;
    }
    for (const { earlier } of this.#published)
      if (earlier !== undefined) rmSync(earlier, { force: true });
    this.#published = [];
    this.#files.length = 0;
    this.#madeFolders.length = 0;
    this.#written = [...this.#written, ...written];
    forget(this);
  }

  #publish(staged: StagedFile, target: string): void {
    try {
      const earlier = existsSync(target)
        ? join(dirname(target), temporaryName(basename(target)))
        : undefined;
      if (earlier !== undefined) {
        keep(target, earlier);
        this.#published.push({ target, earlier });
      }
      if (this.options.force) renameSync(staged.temporary, target);
      else nameOnce(staged, target);
      if (earlier === undefined) this.#published.push({ target, earlier });
    } catch (error) {
      throw error instanceof DroverError ? error : writingError(staged.target, error);
    }
  }

  async abort(): Promise<void> {
    this.discard();
  }

  /** Takes everything back that is not committed, at once: what stood before stands again. */
  discard(): void {
    for (const { target, earlier } of this.#published.splice(0).reverse()) {
      if (earlier === undefined) rmSync(target, { force: true });
      else {
        renameSync(earlier, target);
        // Two names of one file: rename does nothing then.
        rmSync(earlier, { force: true });
      }
    }
    for (const { staged } of this.#files.splice(0)) staged.discard();
    for (const folder of this.#madeFolders.splice(0).sort((a, b) => b.length - a.length))
      removeIfEmpty(folder);
    this.#ready.clear();
    forget(this);
  }
}

function writingError(file: string, why: unknown): DroverError {
  return nodeDiagnostics.error('cannot-write', {
    message: `${JSON.stringify(file)} cannot be written (${systemCode(why)}).`,
    origin: { file },
  });
}

function fail(file: string, why: string): never {
  throw writingError(file, why);
}

function existsError(shown: string): DroverError {
  return nodeDiagnostics.error('exists', {
    message: `${JSON.stringify(shown)} exists already.`,
    origin: { file: shown },
  });
}

/**
 * Throws `node/exists` when something stands at `target` that may not be replaced; only files can
 * be replaced, with force.
 */
function checkTarget(shown: string, target: string, force: boolean | undefined): void {
  const there = look(shown, () => lstatSync(target, { throwIfNoEntry: false }));
  if (there && !force) throw existsError(shown);
  // A link may lead nowhere: that can be replaced.
  if (there && look(shown, () => statSync(target, { throwIfNoEntry: false }))?.isFile() === false) {
    const message = `${JSON.stringify(shown)} is not a file, so it is not replaced.`;
    throw nodeDiagnostics.error('exists', {
      message,
      help: 'Choose another place.',
      origin: { file: shown },
    });
  }
}

function look(shown: string, stat: () => Stats | undefined): Stats | undefined {
  try {
    return stat();
  } catch (error) {
    throw writingError(shown, error);
  }
}

/**
 * Gives a staged file its name without replacing one that another process made meanwhile, which a
 * rename would.
 */
function nameOnce(staged: StagedFile, target: string): void {
  try {
    linkSync(staged.temporary, target);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw existsError(staged.target);
    // File systems without hard links.
    renameSync(staged.temporary, target);
    return;
  }
  rmSync(staged.temporary);
}

/** Keeps a second name for a file, so that it can be put back. */
function keep(target: string, earlier: string): void {
  try {
    linkSync(target, earlier);
  } catch {
    // File systems without hard links.
    copyFileSync(target, earlier);
  }
}

/** Makes a rename survive a power cut. */
function flushFolder(folder: string): void {
  // Windows cannot open folders, and needs no such thing.
  if (process.platform === 'win32') return;
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw writingError(folder, error);
  }
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(systemCode(error))) throw error;
  }
}

/**
 * A folder to write a model to. Files are staged beside their final names and appear there at
 * `commit`, in the order in which they were created; `abort`, a failing commit and {@link
 * discardUnfinished} leave what stood before, new folders included. Throws `node/exists` at
 * `create` when a file of that name stands there and `force` is not set, `node/cannot-write`, and
 * `core/path` for names that leave the folder.
 */
export function outputFolder(path: string, options: OutputOptions = {}): FileSink {
  const stat = look(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stat !== undefined && !stat.isDirectory()) {
    throw nodeDiagnostics.error('exists', {
      message: `${JSON.stringify(path)} is not a folder.`,
      help: 'Choose another place.',
      origin: { file: path },
    });
  }
  return new FolderSink(path, undefined, options);
}

/**
 * A file to write a model to, its weights beside it; `-` is standard output, which holds one file.
 * As {@link outputFolder}, and throws `node/exists` at once when the file stands there and `force`
 * is not set.
 */
export function outputFile(path: string, options: OutputOptions = {}): FileSink {
  if (path === '-') return new StandardOutput();
  checkTarget(path, resolve(path), options.force);
  return new FolderSink(dirname(path), basename(path), options);
}
