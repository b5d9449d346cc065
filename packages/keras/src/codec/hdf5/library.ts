import type { Hdf5Module } from './module.js';
import type { PagedBytes } from './paged-bytes.js';

/** What libhdf5 is told when a page is not there: an error of input, `EIO` of Emscripten. */
const inputError = 29;
/** Characters of libhdf5's messages that are kept of one call. */
const maxMessage = 100_000;

/** A file of Emscripten's, as far as it is changed here. */
interface FileNode {
  usedBytes: number;
  stream_ops: object;
}

interface OpenStream {
  readonly node: FileNode;
  stream_ops: object;
}

/** Emscripten's files: all that libhdf5 sees; those of the computer it does not. */
interface FileSystem {
  readonly streams: OpenStream[];
  readonly ErrnoError: new (errno: number) => Error;
  writeFile(path: string, data: Uint8Array): void;
  unlink(path: string): void;
  lookupPath(path: string): { readonly node: FileNode };
}

/** libhdf5, and what it wrote to its standard error since it was asked. */
export class Hdf5Library {
  readonly #files: FileSystem;
  #errors = '';

  constructor(readonly module: Hdf5Module) {
    this.#files = module.FS as unknown as FileSystem;
    const text = new TextDecoder();
    const stderr = this.#files.streams[2]!;
    stderr.stream_ops = {
      ...stderr.stream_ops,
      write: (_: unknown, heap: Int8Array, offset: number, length: number) => {
        if (this.#errors.length < maxMessage)
          this.#errors += text.decode(
            new Uint8Array(heap.buffer, heap.byteOffset + offset, length),
          );
        return length;
      },
    };
  }

  /** Puts a file before libhdf5 whose bytes are read when they are asked for; returns its path. */
  mount(pages: PagedBytes): string {
    const files = this.#files;
    // No file can name another one that is open: its path is not to be guessed.
    const path = `/${crypto.randomUUID()}.h5`;
    files.writeFile(path, new Uint8Array(0));
    const { node } = files.lookupPath(path);
    node.usedBytes = pages.bytes.length;
    node.stream_ops = {
      ...node.stream_ops,
      read: (_: unknown, heap: Int8Array, offset: number, length: number, position: number) => {
        const target = new Uint8Array(heap.buffer, heap.byteOffset + offset, length);
        const copied = pages.copy(position, target);
        if (copied === undefined) throw new files.ErrnoError(inputError);
        return copied;
      },
    };
    return path;
  }

  unmount(path: string): void {
    this.#files.unlink(path);
  }

  /** Asks libhdf5: what it answers, and what it has to complain of. */
  ask<T>(question: (module: Hdf5Module) => T): { readonly answer?: T; readonly errors: string } {
    this.#errors = '';
    try {
      const answer = question(this.module);
      return { answer, errors: this.#errors };
    } catch (error) {
      return { errors: `${this.#errors}\n${error instanceof Error ? error.message : error}` };
    }
  }
}

let loading: Promise<Hdf5Library> | undefined;

/** libhdf5, compiled to WebAssembly, loaded when it is used first. */
export function loadHdf5(): Promise<Hdf5Library> {
  return (loading ??= import('h5wasm').then(
    async ({ ready }) => new Hdf5Library((await ready) as unknown as Hdf5Module),
  ));
}
