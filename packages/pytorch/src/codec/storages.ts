import type { ByteHandle, DroverError } from '@drover/core';
import { pytorchDiagnostics } from '../diagnostics.js';
import {
  PersistentId,
  PickleGlobal,
  PickleSequence,
  type PickleValue,
} from './pickle/pickle-value.js';
import { storageTypeOf, type TorchType } from './torch-types.js';

/** A storage that a pickle refers to. */
export interface StorageId {
  readonly key: string;
  readonly type: TorchType;
  /** Elements of that type. */
  readonly count: number;
  /** Of files up to PyTorch 0.3: the part of the storage that is meant, in elements. */
  readonly part:
    { readonly key: string; readonly offset: number; readonly count: number } | undefined;
}

/** A storage, or a part of one. */
export interface Storage {
  /** Tells it from the others of the file. */
  readonly id: string;
  readonly type: TorchType;
  readonly bytes: ByteHandle;
}

/**
 * The storage that a persistent id means: `("storage", class, key, location, count)`, in legacy
 * files with a part behind it. Where the storage was (`cpu`, `cuda:0`) does not matter. undefined
 * for anything else.
 */
function storageIdOf(id: PickleValue): StorageId | undefined {
  if (!(id instanceof PickleSequence) || id.kind !== 'tuple') return undefined;
  const [tag, storageClass, key, , count, part] = id.items;
  const type = storageTypeOf(storageClass);
  if (tag !== 'storage' || !type || typeof key !== 'string' || !isCount(count)) return undefined;
  if (id.items.length < 5 || id.items.length > 6) return undefined;
  if (part === undefined || part === null) return { key, type, count, part: undefined };
  if (!(part instanceof PickleSequence)) return undefined;
  const [partKey, offset, partCount] = part.items;
  if (typeof partKey !== 'string' || !isCount(offset) || !isCount(partCount)) return undefined;
  return { key, type, count, part: { key: partKey, offset, count: partCount } };
}

const isCount = (value: PickleValue | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/** The storages of one pickle. */
export class Storages {
  readonly #ids = new Map<string, StorageId>();
  readonly #bytes = new Map<string, ByteHandle>();

  constructor(
    /** Where they are, in messages. */
    readonly file: string,
    /** Tells these from the storages of other pickles of the file. */
    readonly scope: string,
    readonly isBigEndian = false,
  ) {}

  /** What a persistent id stands for. Legacy files have classes, too. */
  readonly persistent = (id: PickleValue): PickleValue | undefined => {
    if (id instanceof PickleSequence && id.items[0] === 'module')
      return id.items[1] instanceof PickleGlobal ? id.items[1] : undefined;
    const storage = storageIdOf(id);
    if (!storage) return undefined;
    if (!this.#ids.has(storage.key)) this.#ids.set(storage.key, storage);
    return new PersistentId(id);
  };

  /** The storages that were asked for, by key, as they were asked for first. */
  get wanted(): ReadonlyMap<string, StorageId> {
    return this.#ids;
  }

  /** Says where a storage's bytes are. */
  set(key: string, bytes: ByteHandle): void {
    this.#bytes.set(key, bytes);
  }

  /** The error that something is wrong with a storage. */
  error(message: string): DroverError {
    return pytorchDiagnostics.error('tensor', { message, origin: { file: this.file } });
  }

  /** The storage of a persistent id. Throws `pytorch/tensor` when it has another size. */
  get(of: PersistentId): Storage {
    const { key, type, count, part } = storageIdOf(of.id)!;
    const bytes = this.#bytes.get(key);
    if (!bytes) throw this.error(`The storage ${JSON.stringify(key)} is not in the file.`);
    if (bytes.length !== count * type.bytes)
      throw this.error(
        `The storage ${JSON.stringify(key)} has ${bytes.length} bytes and not ${count} elements of ${type.name}.`,
      );
    const id = `${this.scope}/${key}`;
    if (!part) return { id, type, bytes };
    return {
      id: `${id}/${part.offset}`,
      type,
      bytes: bytes.slice(part.offset * type.bytes, part.count * type.bytes),
    };
  }
}
