import { ByteHandle, type ByteSource, type Diagnostic } from '@drover/core';
import { pytorchDiagnostics } from '../diagnostics.js';
import { PickleSequence } from './pickle/pickle-value.js';
import { refuseUnsafe } from './pickle/unpickle.js';
import type { PytorchFile } from './pytorch-file.js';
import { endOfRecord, readStream, type PytorchLimits } from './read-stream.js';
import { Storages } from './storages.js';

const magic = 0x1950a86a20f9469cfc6cn;
const protocolVersion = 1001;
const countBytes = 8;

/**
 * Reads what torch.save wrote before 1.6, or without zip: the pickles of a magic number, a
 * protocol, facts of the machine, the object and the keys of its storages, then each storage behind
 * the count of its elements, always little-endian. A file that is but one pickle is read, too, as
 * pickle.dump writes dicts of NumPy's arrays. Errors: `pytorch/unsafe`, `pytorch/pickle`,
 * `pytorch/tensor`, `pytorch/generation`, `core/limit`.
 * @see https://github.com/pytorch/pytorch/blob/v2.9.0/torch/serialization.py, `_legacy_save`
 */
export async function readLegacyFile(
  source: ByteSource,
  limits: PytorchLimits,
): Promise<PytorchFile> {
  const handle = ByteHandle.range(source);
  const storages = new Storages(source.name, source.name);
  const at = (offset: number) => ({ handle, offset, name: source.name, file: source.name });
  const first = await readStream(at(0), storages, limits);
  if (first.value !== magic) {
    const { value, unsafe } = await endOfRecord(first, at(0), storages, limits);
    refuseUnsafe(unsafe);
    const content = { kind: 'pickle', value, storages } as const;
    return { container: 'pickle', versions: {}, parts: [{ path: [], content }], notes: [] };
  }
  const unsafe: Diagnostic[] = [...first.unsafe];
  let offset = first.end;
  const next = async () => {
    const found = await readStream(at(offset), storages, limits).catch((error: unknown) => {
      refuseUnsafe(unsafe);
      throw error;
    });
    offset = found.end;
    unsafe.push(...found.unsafe);
    return found.value;
  };
  const version = await next();
  if (version !== protocolVersion) {
    refuseUnsafe(unsafe);
    throw pytorchDiagnostics.error('generation', {
      message: `${source.name} has protocol ${String(version)}; only ${protocolVersion} is read.`,
      origin: { file: source.name, offset },
    });
  }
  await next();
  const value = await next();
  const keysAt = offset;
  const keys = await next();
  refuseUnsafe(unsafe);
  const wrong = (why: string, where: number) =>
    pytorchDiagnostics.error('pickle', {
      message: `${why} at byte ${where} of ${source.name}.`,
      origin: { file: source.name, offset: where },
    });
  if (!(keys instanceof PickleSequence)) throw wrong('There is no list of storages', keysAt);
  for (const key of keys.items) {
    const wanted = typeof key === 'string' ? storages.wanted.get(key) : undefined;
    if (typeof key !== 'string' || !wanted) throw wrong('A storage belongs to no tensor', keysAt);
    if (offset + countBytes > source.size) throw wrong('A storage is cut off', offset);
    const head = await handle.read({ offset, length: countBytes });
    const count = new DataView(head.buffer, head.byteOffset).getBigInt64(0, true);
    const length = Number(count) * wanted.type.bytes;
    if (count < 0n || offset + countBytes + length > source.size)
      throw wrong(`A storage of ${count} elements is cut off`, offset);
    storages.set(key, handle.slice(offset + countBytes, length));
    offset += countBytes + length;
  }
  if (offset < source.size)
    throw wrong(`${source.size - offset} bytes follow the storages`, offset);
  const content = { kind: 'pickle', value, storages } as const;
  const versions = { protocol_version: String(protocolVersion) };
  return { container: 'legacy', versions, parts: [{ path: [], content }], notes: [] };
}
