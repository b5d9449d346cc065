import { ByteHandle, type SinkFile } from '@drover/core';
import { ZipWriter } from '@drover/zip';
import { encodePickle } from './pickle/encode-pickle.js';
import type { PickleValue } from './pickle/pickle-value.js';

/** Where storages begin, so that they can be mapped into memory. */
const alignment = 64;
/** The folder of the records: what torch.save takes where it writes to no path. */
const root = 'archive';

/**
 * Writes a file as torch.save does since 1.6: an archive of the pickled object and its storages,
 * which persistent ids name by their places in the list. Storages are little-endian, stored at
 * multiples of 64 bytes, and pass through in pieces. Equal content gives equal bytes. Throws
 * `core/not-writable` before anything is written, as `encodePickle` does, and the errors of the
 * storages.
 * @see https://github.com/pytorch/pytorch/blob/v2.9.0/torch/serialization.py, `_save`
 */
export async function encodeFile(
  file: SinkFile,
  object: PickleValue,
  storages: readonly ByteHandle[],
): Promise<void> {
  const pickle = encodePickle(object);
  const zip = new ZipWriter(file, { align: alignment });
  const add = (name: string, content: ByteHandle) => zip.add(`${root}/${name}`, content);
  const text = (of: string) => ByteHandle.of(new TextEncoder().encode(of));
  await add('data.pkl', ByteHandle.of(pickle));
  await add('.format_version', text('1'));
  await add('.storage_alignment', text(String(alignment)));
  await add('byteorder', text('little'));
  for (const [key, bytes] of storages.entries()) await add(`data/${key}`, bytes);
  await add('version', text('3\n'));
  await zip.finish();
}
