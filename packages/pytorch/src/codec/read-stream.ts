import { coreDiagnostics, type ByteHandle } from '@drover/core';
import { broken, pickleLimits, type PickleLimits } from './pickle/pickle-stream.js';
import { refuseUnsafe, unpickle, type Unpickled } from './pickle/unpickle.js';
import { unsafeNames } from './pickle/unsafe-names.js';
import type { Storages } from './storages.js';

/** Bounds that protect from hostile checkpoints. */
export interface PytorchLimits extends PickleLimits {
  /** Bytes of one pickle, without the storages; 1 GiB unless told. */
  readonly maxPickleBytes: number;
}

/** The limits unless the caller says otherwise. */
export const pytorchLimits: PytorchLimits = { ...pickleLimits, maxPickleBytes: 2 ** 30 };

/** A place that a pickle begins at. */
export interface PickledPlace {
  readonly handle: ByteHandle;
  readonly offset: number;
  /** What findings name. */
  readonly name: string;
  /** The file, as the user named it. */
  readonly file: string;
}

const firstBytes = 2 ** 16;

/**
 * Reads the pickle that begins at a place, and as little behind it as can be. Throws
 * `pytorch/pickle`, also where it has no end, and `core/limit`.
 */
export async function readStream(
  { handle, offset, name, file }: PickledPlace,
  storages: Storages,
  limits: PytorchLimits,
): Promise<Unpickled> {
  const left = handle.length - offset;
  const most = Math.min(left, limits.maxPickleBytes);
  for (let size = firstBytes; ; size *= 4) {
    const length = Math.min(size, most);
    const bytes = await handle.read({ offset, length });
    const stream = { bytes, name, file, offset: (handle.origin.offset ?? 0) + offset };
    const found = unpickle(stream, { limits, persistent: storages.persistent });
    if (found) return { ...found, end: offset + found.end };
    if (length < most) continue;
    refuseUnsafe(unsafeNames(stream));
    if (length === left) throw broken(stream, length, 'The pickle is cut off');
    throw coreDiagnostics.error('limit', {
      message: `${name} holds a pickle of more than ${most} bytes (maxPickleBytes).`,
      origin: { file, offset: stream.offset },
    });
  }
}

/** Reads the pickle of a record that holds nothing else. Throws as {@link endOfRecord} does. */
export async function readWhole(
  place: PickledPlace,
  storages: Storages,
  limits: PytorchLimits,
): Promise<Unpickled> {
  return endOfRecord(await readStream(place, storages, limits), place, storages, limits);
}

/**
 * The first pickle of a record, which holds nothing else. What follows it is taken for a pickle,
 * too, so that one that hides behind a harmless first one is named; then, or if it is none, throws
 * `pytorch/pickle`.
 */
export async function endOfRecord(
  first: Unpickled,
  place: PickledPlace,
  storages: Storages,
  limits: PytorchLimits,
): Promise<Unpickled> {
  const { handle, name, file } = place;
  if (first.end === handle.length) return first;
  const rest = await readStream({ ...place, offset: first.end }, storages, limits).catch(
    () => undefined,
  );
  if (rest && rest.unsafe.length + first.unsafe.length > 0)
    return { ...first, unsafe: [...first.unsafe, ...rest.unsafe] };
  const at = first.end - place.offset;
  const stream = { bytes: new Uint8Array(0), name, file, offset: handle.origin.offset ?? 0 };
  throw broken(stream, at, `${handle.length - first.end} bytes follow the end of the pickle`);
}
