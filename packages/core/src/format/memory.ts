import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Sink, SinkFile } from './sink.js';
import { checkRange } from '../bytes/byte-range.js';
import type { Source } from './source.js';

// eslint-disable-next-line no-control-regex -- control characters are what is looked for
const notPortable = /[\\\u0000-\u001f]/;

/**
 * A relative path with `/` below a model's folder, normalised. Throws `core/path` for anything that
 * could leave the folder or means another thing on another system: absolute and drive paths, `..`,
 * backslashes, control characters, URLs.
 */
export function checkPath(path: string, file: string): string {
  const parts = path.split('/').filter((part) => part !== '.' && part !== '');
  const unsafe =
    path === '' ||
    path.startsWith('/') ||
    notPortable.test(path) ||
    /^[a-z][a-z0-9+.-]*:/i.test(path) ||
    parts.includes('..') ||
    parts.length === 0;
  if (unsafe)
    throw coreDiagnostics.error('path', {
      message: `${JSON.stringify(path)} is not a path below the folder of the model.`,
      origin: { file },
    });
  return parts.join('/');
}

/**
 * A file of a folder that is held in memory: what a browser page has after a drop, and what tests
 * use.
 */
export function memorySource(name: string, files: ReadonlyMap<string, Uint8Array>): Source {
  const bytes = files.get(name);
  if (bytes === undefined)
    throw coreDiagnostics.error('missing-file', {
      message: `There is no file ${name}.`,
      origin: { file: name },
    });
  const folder = folderOf(name);
  return {
    name,
    size: bytes.length,
    identity: bytes,
    read: async (range) => {
      if (range === undefined) return bytes;
      checkRange(name, bytes.length, range);
      return bytes.subarray(range.offset, range.offset + range.length);
    },
    sibling: async (path) => memorySource(folder + checkPath(path, name), files),
    siblings: async () => namesIn(folder, files),
  };
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf('/') + 1);

const namesIn = (folder: string, files: ReadonlyMap<string, Uint8Array>) =>
  [...files.keys()]
    .filter((key) => key.startsWith(folder) && !key.slice(folder.length).includes('/'))
    .map((key) => key.slice(folder.length))
    .sort();

/** A sink that keeps its files in memory; `files` holds them after `commit`. */
export class MemorySink implements Sink {
  readonly files = new Map<string, Uint8Array>();
  #pending = new Map<string, Uint8Array[]>();

  async create(path: string): Promise<SinkFile> {
    const chunks: Uint8Array[] = [];
    this.#pending.set(checkPath(path, path), chunks);
    return {
      write: async (bytes) => void chunks.push(new Uint8Array(bytes)),
      close: async () => {},
    };
  }

  async standing(path: string): Promise<readonly string[]> {
    return namesIn(folderOf(path), this.files);
  }

  async commit(): Promise<void> {
    for (const [path, chunks] of this.#pending) {
      const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
      let at = 0;
      for (const chunk of chunks) {
        whole.set(chunk, at);
        at += chunk.length;
      }
      this.files.set(path, whole);
    }
    this.#pending.clear();
  }

  async abort(): Promise<void> {
    this.#pending.clear();
  }
}
