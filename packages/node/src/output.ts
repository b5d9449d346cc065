import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { coreDiagnostics, DroverError, type Sink, type SinkFile } from '@drover/core';
import { checkPath } from '@drover/core/format';
import { nodeDiagnostics } from './diagnostics.js';
import { systemCode } from './file-source.js';
import { forget, remember } from './interruption.js';
import { StagedFile, type WrittenFile } from './staged-file.js';
import { StandardOutput } from './standard-output.js';
import { isTemporary, sweep, temporaryName } from './temporary-name.js';

/** How to treat what stands at the place to write to. */
export interface OutputOptions {
  /**
   * Paths of files, relative to the folder, that may be overwritten and that `commit` removes where
   * they are not: those of the model that is replaced ({@link ownFiles}). Any other file that
   * stands where one would be written is a `node/exists` error, and stays.
   */
  readonly replaces?: readonly string[];
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
  /** Paths, as the user would name them, of the files that `commit` removed. */
  readonly removed: readonly string[];
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
  #removed: readonly string[] = [];
  /** Files that may be replaced, by their absolute paths; as the user would name them. */
  readonly #replaces: ReadonlyMap<string, string>;

  constructor(
    readonly folder: string,
    readonly main: string | undefined,
    { replaces = [] }: OutputOptions,
  ) {
    const paths = replaces.map((path) => join(folder, checkPath(path, path)));
    this.#replaces = new Map(paths.map((shown) => [resolve(shown), shown]));
  }

  get written(): readonly WrittenFile[] {
    return this.#written;
  }

  get removed(): readonly string[] {
    return this.#removed;
  }

  /** Throws `node/exists` when a file stands at a path that may not be replaced. */
  check(shown: string): void {
    checkTarget(shown, resolve(shown), this.#replaces);
  }

  async standing(path: string): Promise<readonly string[]> {
    const folder = dirname(resolve(this.folder, checkPath(path, path)));
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter((name) => !isTemporary(name) && !this.#replaces.has(join(folder, name)))
      .sort();
  }

  async create(path: string): Promise<SinkFile> {
    const shown = join(this.folder, checkPath(path, path));
    const target = resolve(shown);
    checkTarget(shown, target, this.#replaces);
    remember(this);
    this.#makeFolder(dirname(target), shown);
    if (!this.#isInside(target)) {
      throw coreDiagnostics.error('path', {
        message: `${JSON.stringify(path)} leads out of the folder to write to.`,
        origin: { file: shown },
      });
    }
    const staged = new StagedFile(shown, join(dirname(target), temporaryName(basename(target))));
    this.#files.push({ staged, target });
    return staged;
  }

  /** Whether the folder of a path is the sink's own or below it, links followed. */
  #isInside(target: string): boolean {
    const home = realpathSync.native(this.folder);
    return (realpathSync.native(dirname(target)) + sep).startsWith(
      home.endsWith(sep) ? home : home + sep,
    );
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
    const removed: string[] = [];
    try {
      for (const { staged, target } of this.#files) {
        checkTarget(staged.target, target, this.#replaces);
        this.#publish(staged, target);
      }
      for (const [target, shown] of this.#replaces)
        if (this.#take(target, shown)) removed.push(shown);
      for (const folder of new Set(this.#published.map(({ target }) => dirname(target))))
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
    this.#removed = [...this.#removed, ...removed];
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
      if (this.#replaces.has(target)) renameSync(staged.temporary, target);
      else nameOnce(staged, target);
      if (earlier === undefined) this.#published.push({ target, earlier });
    } catch (error) {
      throw error instanceof DroverError ? error : writingError(staged.target, error);
    }
  }

  /**
   * Takes a replaced file away that was not written anew; gives whether there was one. Only files
   * are, and none behind a folder that is a link out of the sink's own.
   */
  #take(target: string, shown: string): boolean {
    const isWritten = this.#files.some((file) => file.target === target);
    const there = look(shown, () => lstatSync(target, { throwIfNoEntry: false }));
    if (isWritten || !there || there.isDirectory() || !this.#isInside(target)) return false;
    const earlier = join(dirname(target), temporaryName(basename(target)));
    try {
      renameSync(target, earlier);
    } catch (error) {
      throw writingError(shown, error);
    }
    this.#published.push({ target, earlier });
    return true;
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

function existsError(shown: string, isReplacing: boolean): DroverError {
  return nodeDiagnostics.error('exists', {
    message: isReplacing
      ? `${JSON.stringify(shown)} exists already, and is no file of the model that is replaced.`
      : `${JSON.stringify(shown)} exists already.`,
    ...(isReplacing && { help: 'Move it away, or choose another place.' }),
    origin: { file: shown },
  });
}

/**
 * Throws `node/exists` when something stands at `target` that may not be replaced; only files can
 * be.
 */
function checkTarget(shown: string, target: string, replaces: ReadonlyMap<string, string>): void {
  const there = look(shown, () => lstatSync(target, { throwIfNoEntry: false }));
  if (there && !replaces.has(target)) throw existsError(shown, replaces.size > 0);
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
    if (systemCode(error) === 'EEXIST') throw existsError(staged.target, false);
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
 * `create` when a file of that name stands there that it does not replace, `node/cannot-write`, and
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
 * As {@link outputFolder}, and throws `node/exists` at once when the file stands there and is not
 * replaced.
 */
export function outputFile(path: string, options: OutputOptions = {}): FileSink {
  if (path === '-') return new StandardOutput();
  const sink = new FolderSink(dirname(path), basename(path), options);
  sink.check(path);
  return sink;
}
