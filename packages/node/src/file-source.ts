import {
  close,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readdir,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { promisify } from 'node:util';
import { coreDiagnostics, type ByteRange, type DroverError, type Source } from '@drover/core';
import { allocateBytes, checkPath, checkRange } from '@drover/core/format';
import { nodeDiagnostics } from './diagnostics.js';

/** How files beside a model may be reached. */
export interface OpenOptions {
  /**
   * Also opens files beside the model that are hard links, or symbolic links to a place outside the
   * model's folder. By default these are `core/path` errors, because a model from a stranger could
   * name a secret through them; only the links that the cache of Hugging Face makes are followed.
   */
  readonly allowLinks?: boolean;
}

/** A file that is open for reading. Its bytes stay readable when another file takes its name. */
export interface FileSource extends Source {
  /**
   * Closes the file and those opened through `sibling`. Reading afterwards is a `node/cannot-read`
   * error. Optional: what is unreachable is closed as well.
   */
  close(): void;
}

/** One call must stay below 2 GiB: the kernel and libuv count its bytes in 31 bits. */
const maxCallBytes = 2 ** 30;

// Numbers, not FileHandles: a FileHandle that is collected prints a warning on the user's terminal.
const unreachable = new FinalizationRegistry<number>((fd) => close(fd));
const readInto = promisify(read);
const listFolder = promisify(readdir);

/** The `code` of a system error, such as ENOENT; its text for anything else. */
export function systemCode(error: unknown): string {
  return typeof error === 'object' &&
    error !== null &&
    'code' in error &&
    typeof error.code === 'string'
    ? error.code
    : String(error);
}

/** Names of files in a folder that are told where the one that was meant is not there. */
const namedFiles = 4;

/**
 * What to do about a path under which nothing is: what is called so but for its end is named, such
 * as the index of a checkpoint of which the prefix was given.
 */
function helpWith(path: string): string {
  let names: readonly string[] = [];
  try {
    names = readdirSync(dirname(resolve(path))).sort();
  } catch {
    // Nor is there a folder that could be listed.
  }
  const found = names.filter((name) => name.startsWith(`${basename(path)}.`));
  if (found.length === 0) return 'Check the path.';
  const more = found.length > namedFiles ? ` and ${found.length - namedFiles} more` : '';
  return `There is ${found.slice(0, namedFiles).join(', ')}${more}: give the whole name.`;
}

/** `core/missing-file` when nothing is there, else `node/cannot-read`. */
function openingError(error: unknown, file: string, help?: string): DroverError {
  const code = systemCode(error);
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  const origin = { file };
  if (missing)
    return coreDiagnostics.error('missing-file', {
      message: `There is no file ${JSON.stringify(file)}.`,
      origin,
      ...(help && { help }),
    });
  return nodeDiagnostics.error('cannot-read', {
    message: `${JSON.stringify(file)} cannot be opened (${code}).`,
    origin,
  });
}

/**
 * Whether a file belongs to a model's folder in the cache of Hugging Face, where
 * `REPOSITORY/snapshots/REVISION` holds links into `REPOSITORY/blobs`
 * (https://huggingface.co/docs/huggingface_hub/guides/manage-cache). Both paths are real ones.
 */
function isCacheLink(home: string, real: string): boolean {
  const blobs = dirname(real);
  return basename(blobs) === 'blobs' && home.startsWith(join(dirname(blobs), 'snapshots') + sep);
}

class OpenFile implements FileSource {
  readonly #opened: OpenFile[] = [];
  #closed = false;

  constructor(
    readonly name: string,
    readonly size: number,
    readonly fd: number,
    readonly folder: string,
    readonly options: OpenOptions,
    readonly identity: string,
  ) {
    unreachable.register(this, fd, this);
  }

  async read(range: ByteRange = { offset: 0, length: this.size }): Promise<Uint8Array> {
    checkRange(this.name, this.size, range);
    const bytes = allocateBytes(range.length, 'A range', { file: this.name });
    for (let done = 0; done < range.length;) {
      const step = Math.min(range.length - done, maxCallBytes);
      const got = await this.#readAt(bytes, done, step, range.offset + done);
      // The file was cut short after it was opened.
      if (got === 0) checkRange(this.name, range.offset + done, range);
      done += got;
    }
    return bytes;
  }

  async #readAt(
    bytes: Uint8Array,
    start: number,
    length: number,
    position: number,
  ): Promise<number> {
    const origin = { file: this.name, offset: position };
    if (this.#closed)
      throw nodeDiagnostics.error('cannot-read', { message: `${this.name} is closed.`, origin });
    try {
      return (await readInto(this.fd, bytes, start, length, position)).bytesRead;
    } catch (error) {
      throw nodeDiagnostics.error('cannot-read', {
        message: `Reading ${this.name} failed (${systemCode(error)}).`,
        origin,
      });
    }
  }

  async sibling(relative: string): Promise<FileSource> {
    const below = checkPath(relative, this.name);
    const path = join(this.folder, below);
    const name = join(dirname(this.name), below);
    const refuse = (why: string) =>
      coreDiagnostics.error('path', {
        message: `${JSON.stringify(relative)} ${why}.`,
        help: 'Put a plain copy of the file in its place. If you trust where the model comes from, allow links: --allow-links on the command line, `allowLinks` in the library.',
        origin: { file: this.name },
      });
    let real: string;
    let inside: boolean;
    try {
      real = realpathSync.native(path);
      const home = realpathSync.native(this.folder);
      inside = real.startsWith(home.endsWith(sep) ? home : home + sep) || isCacheLink(home, real);
    } catch (error) {
      throw openingError(error, name);
    }
    if (!inside && !this.options.allowLinks)
      throw refuse('is a link that leads out of the folder of the model');
    const file = open(name, real, dirname(path), this.options);
    const { nlink } = fstatSync(file.fd);
    if (nlink > 1 && !this.options.allowLinks) {
      file.close();
      throw refuse(`is a hard link: the file has ${nlink} names`);
    }
    this.#opened.push(file);
    return file;
  }

  async siblings(): Promise<readonly string[]> {
    const entries = await listFolder(this.folder, { withFileTypes: true }).catch(
      (error: unknown) => {
        throw openingError(error, dirname(this.name));
      },
    );
    return entries
      .flatMap((entry) => (entry.isFile() || entry.isSymbolicLink() ? [entry.name] : []))
      .sort();
  }

  close(): void {
    for (const file of this.#opened.splice(0)) file.close();
    if (this.#closed) return;
    this.#closed = true;
    unreachable.unregister(this);
    closeSync(this.fd);
  }
}

function open(
  name: string,
  path: string,
  folder: string,
  options: OpenOptions,
  help?: string,
): OpenFile {
  let fd: number;
  try {
    // Without O_NONBLOCK a named pipe would block here for ever.
    fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw openingError(error, name, help);
  }
  // As numbers, two files could have one.
  const stat = fstatSync(fd, { bigint: true });
  if (!stat.isFile()) {
    closeSync(fd);
    const message = `${JSON.stringify(name)} is ${stat.isDirectory() ? 'a folder' : 'a device or a pipe'}, not a file.`;
    throw nodeDiagnostics.error('cannot-read', { message, origin: { file: name } });
  }
  const identity = `file ${stat.dev}:${stat.ino}`;
  return new OpenFile(name, Number(stat.size), fd, folder, options, identity);
}

/**
 * Opens a file for reading by ranges: files past 2 GiB are no exception, and nothing is read before
 * it is asked for. `sibling` stays in the file's folder. Throws `core/missing-file` or
 * `node/cannot-read`.
 */
export async function openFile(path: string, options: OpenOptions = {}): Promise<FileSource> {
  return open(path, path, dirname(resolve(path)), options, 'Check the path.');
}

/**
 * Whether a path names a folder and not a file. Throws `core/missing-file` or `node/cannot-read`.
 */
export function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw openingError(error, path, helpWith(path));
  }
}
