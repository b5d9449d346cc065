import { coreDiagnostics, type ByteHandle, type ByteSource } from '@drover/core';
import { kerasDiagnostics } from '../../diagnostics.js';
import { boxesOf } from './boxes.js';
import { loadHdf5, type Hdf5Library } from './library.js';
import { hdf5Class, hdf5Object, type Hdf5Description, type Hdf5Module } from './module.js';
import { PagedBytes } from './paged-bytes.js';

/** What stands under a name in a group. */
export interface Hdf5Link {
  readonly name: string;
  readonly kind: 'group' | 'dataset' | 'type' | 'soft link' | 'external link';
  /** Tells objects from one another: two links of one identity are two names of one object. */
  readonly identity: string;
}

/** A dataset: what its elements are, and their bytes. */
export interface Hdf5Dataset {
  readonly path: string;
  readonly description: Hdf5Description;
  /** The elements in C order, little-endian; any range of them can be read alone. */
  readonly bytes: ByteSource;
}

/** Bounds that protect from hostile files. */
const limits = {
  /** Bytes of an attribute, and of what a chunk holds once it is inflated. */
  attribute: 64 * 2 ** 20,
  chunk: 256 * 2 ** 20,
  /** Strings of an attribute. */
  strings: 100_000,
  /** How many times longer than the file what it holds may be, where it is compressed. */
  inflation: 100,
};

/** The largest part of a dataset that is read at once. */
const boxBytes = 4 * 2 ** 20;

const closed = new FinalizationRegistry<() => void>((close) => close());

/** The first bytes of a file (HDF5 File Format Specification, II.A). */
export const hdf5Signature = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a);

/**
 * Opens an HDF5 file, of which it reads a few pages. It is libhdf5 that reads, in WebAssembly and
 * in a file system of its own, which holds nothing of the computer's: no link, no external storage
 * and no plugin leads out of the file. The file is closed when nobody holds it any more. Throws
 * `keras/hdf5` for what is none or is damaged.
 */
export function openHdf5(bytes: ByteHandle, name: string): Promise<Hdf5File> {
  return Hdf5File.open(bytes, name);
}

/** An open HDF5 file. Objects are named by absolute paths. */
export class Hdf5File {
  private constructor(
    readonly name: string,
    private readonly library: Hdf5Library,
    private readonly pages: PagedBytes,
    mounted: string,
    private readonly id: bigint,
  ) {
    closed.register(this, () => {
      library.module.close_file(id);
      library.unmount(mounted);
    });
  }

  /** See {@link openHdf5}. */
  static async open(bytes: ByteHandle, name: string): Promise<Hdf5File> {
    const library = await loadHdf5();
    const pages = new PagedBytes(bytes);
    const path = library.mount(pages);
    try {
      const id = await ask(library, pages, name, '/', ({ open }) => {
        const opened = open(path, 0, false, -1, -1);
        return opened < 0n ? undefined : opened;
      });
      return new Hdf5File(name, library, pages, path, id);
    } catch (error) {
      library.unmount(path);
      throw error;
    }
  }

  /**
   * What stands in a group, in the order of the file; no link is followed. Throws `keras/hdf5` for
   * a name that cannot be part of a path.
   */
  links(path: string): Promise<readonly Hdf5Link[]> {
    return this.#ask(path, (module) =>
      [...module.get_names(this.id, path, false)].map((name): Hdf5Link => {
        const at = join(path, name);
        if (/^\.?$/.test(name) || name.includes('/'))
          throw kerasDiagnostics.error('hdf5', {
            message: `${path} of ${this.name} has a link ${JSON.stringify(name)}.`,
            origin: { file: this.name, node: path },
          });
        if (module.get_symbolic_link(this.id, at) !== null)
          return { name, kind: 'soft link', identity: at };
        if (module.get_external_link(this.id, at).filename !== undefined)
          return { name, kind: 'external link', identity: at };
        const type = module.get_type(this.id, at);
        const identity = module.create_object_reference(this.id, at).join('.');
        if (type === hdf5Object.group) return { name, kind: 'group', identity };
        return { name, kind: type === hdf5Object.dataset ? 'dataset' : 'type', identity };
      }),
    );
  }

  /** The names of an object's attributes. */
  attributes(path: string): Promise<readonly string[]> {
    return this.#ask(path, (module) => [...module.get_attribute_names(this.id, path)]);
  }

  /**
   * The texts of an attribute of an object: one, or a list; an empty list of anything is one of
   * texts. undefined where there is no such attribute, or it is no text.
   */
  attribute(path: string, name: string): Promise<string | readonly string[] | undefined> {
    return this.#ask(path, (module) => {
      if (!module.get_attribute_names(this.id, path).includes(name)) return { text: undefined };
      const description = module.get_attribute_metadata(this.id, path, name);
      const { shape, total_size: count } = description;
      if (count === 0) return { text: [] };
      if (shape === null || description.type !== hdf5Class.string) return { text: undefined };
      const texts = this.#texts(module, path, name, description);
      return { text: shape.length === 0 ? texts[0] : texts };
    }).then(({ text }) => text);
  }

  #texts(module: Hdf5Module, path: string, name: string, description: Hdf5Description) {
    const { size, total_size: count, vlen } = description;
    if (size * count > limits.attribute || count > limits.strings)
      throw this.#limit(
        path,
        `has an attribute ${name} of ${count} texts (${limits.strings} texts, ${limits.attribute} bytes)`,
      );
    const pointer = allocate(module, size * count);
    try {
      if (module.get_attribute_data(this.id, path, name, BigInt(pointer)) < 0) return [];
      const bytes = module.HEAPU8.slice(pointer, pointer + size * count);
      const words = vlen ? new Uint32Array(bytes.buffer) : [];
      const text = new TextDecoder();
      return Array.from({ length: count }, (_, i) => {
        if (vlen) return words[i] === 0 ? '' : module.UTF8ToString(words[i]!);
        const fixed = bytes.subarray(i * size, (i + 1) * size);
        // What is shorter is filled up: with NUL, by h5py and NumPy.
        let end = fixed.length;
        while (end > 0 && fixed[end - 1] === 0) end--;
        return text.decode(fixed.subarray(0, end));
      });
    } finally {
      if (vlen) module.reclaim_vlen_memory(this.id, path, name, BigInt(pointer));
      module._free(pointer);
    }
  }

  /**
   * A dataset; no element is read. Throws `keras/hdf5` for one whose elements stand elsewhere, or
   * behind a filter that is not known here, and `core/limit` for one that is longer than this file
   * can hold, or than its compression can have made it.
   */
  async dataset(path: string): Promise<Hdf5Dataset> {
    const { description, filters } = await this.#ask(path, (module) => ({
      description: module.get_dataset_metadata(this.id, path),
      filters: module.get_dataset_filters(this.id, path),
    }));
    const origin = { file: this.name, node: path };
    if (description.virtual_sources)
      throw kerasDiagnostics.error('hdf5', {
        message: `${path} of ${this.name} is put together from other datasets.`,
        origin,
      });
    const unknown = filters.find(({ id }) => id > 3);
    if (unknown)
      throw kerasDiagnostics.error('hdf5', {
        message: `${path} of ${this.name} is behind the filter ${unknown.id} (${unknown.name}).`,
        help: 'Write the file again without compression, or with gzip.',
        origin,
      });
    const { shape, size, total_size: count, chunks } = description;
    const bytes = shape === null ? 0 : size * count;
    const held = this.pages.bytes.length * (filters.length > 0 ? limits.inflation : 1);
    if (!Number.isSafeInteger(bytes) || bytes > held)
      throw this.#limit(path, `says that it has ${bytes} bytes, and the file can hold ${held}`);
    const chunk = (chunks ?? []).reduce((product, dim) => product * dim, size);
    if (chunk > limits.chunk)
      throw this.#limit(path, `is in chunks of ${chunk} bytes (${limits.chunk})`);
    return { path, description, bytes: this.#elements(path, shape ?? [0], size, bytes) };
  }

  #elements(path: string, shape: readonly number[], size: number, length: number): ByteSource {
    return {
      name: this.name,
      size: length,
      read: async ({ offset, length: wanted } = { offset: 0, length }) => {
        if (wanted === 0) return new Uint8Array(0);
        const first = Math.floor(offset / size);
        const last = Math.ceil((offset + wanted) / size);
        const out = new Uint8Array((last - first) * size);
        let at = 0;
        for (const box of boxesOf(shape, first, last, Math.max(1, Math.floor(boxBytes / size)))) {
          const bytes = box.count.reduce((product, dim) => product * dim, size);
          const got = await this.#ask(path, (module) => this.#read(module, path, box, bytes));
          out.set(got, at);
          at += bytes;
        }
        return out.subarray(offset - first * size, offset - first * size + wanted);
      },
    };
  }

  #read(
    module: Hdf5Module,
    path: string,
    { start, count }: { readonly start: readonly number[]; readonly count: readonly number[] },
    bytes: number,
  ): Uint8Array | undefined {
    const pointer = allocate(module, bytes);
    try {
      const [counts, starts] = [count, start].map((each) => each.map(BigInt));
      const isScalar = start.length === 0;
      const status = module.get_dataset_data(
        this.id,
        path,
        isScalar ? null : counts!,
        isScalar ? null : starts!,
        isScalar ? null : starts!.map(() => 1n),
        BigInt(pointer),
      );
      return status < 0 ? undefined : module.HEAPU8.slice(pointer, pointer + bytes);
    } finally {
      module._free(pointer);
    }
  }

  #ask<T>(path: string, question: (module: Hdf5Module) => T | undefined): Promise<T> {
    return ask(this.library, this.pages, this.name, path, question);
  }

  #limit(path: string, what: string) {
    return coreDiagnostics.error('limit', {
      message: `${path} of ${this.name} ${what}.`,
      help: 'The file is damaged or hostile. If you trust it, write it again without compression.',
      origin: { file: this.name, node: path },
    });
  }
}

/** The path of what stands under a name in a group. */
export const join = (group: string, name: string): string =>
  group === '/' ? `/${name}` : `${group}/${name}`;

function allocate(module: Hdf5Module, bytes: number): number {
  const pointer = module._malloc(Math.max(bytes, 1));
  if (pointer !== 0) return pointer;
  throw coreDiagnostics.error('limit', {
    message: `libhdf5 has no memory for ${bytes} bytes.`,
    origin: { file: '' },
  });
}

/** Asks until every page is there that the answer needs. */
function ask<T>(
  library: Hdf5Library,
  pages: PagedBytes,
  file: string,
  path: string,
  question: (module: Hdf5Module) => T | undefined,
): Promise<T> {
  return pages.keeping(async () => {
    for (;;) {
      const { answer, errors } = library.ask(question);
      if (pages.isMissing) await pages.load();
      else if (answer !== undefined && errors === '') return answer;
      else
        throw kerasDiagnostics.error('hdf5', {
          message: `${path} of ${file} cannot be read: ${reasonOf(errors)}.`,
          origin: { file, node: path },
        });
    }
  });
}

/** What went wrong, from the stack of errors that libhdf5 prints: the innermost one. */
function reasonOf(errors: string): string {
  const lines = [...errors.matchAll(/^\s*#\d+:.*\(\): (.*)$/gm)].map(([, text]) => text!);
  return (lines.at(-1) ?? errors.trim().split('\n')[0] ?? '').trim() || 'libhdf5 does not say why';
}
