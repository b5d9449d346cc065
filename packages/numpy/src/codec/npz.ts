import {
  ByteHandle,
  MemorySink,
  Weight,
  type SinkFile,
  type ByteSource,
  type Tensor,
} from '@drover/core';
import { readZip, ZipWriter, type ZipLimits } from '@drover/zip';
import { numpyDiagnostics } from '../diagnostics.js';
import { isNpy, nameOfNpy, npyOf, openNpy } from './npy.js';

/** Whether bytes begin as a `.npz` does: a ZIP archive of arrays, or an empty one. */
export function isNpz(head: Uint8Array): boolean {
  const text = String.fromCharCode(...head.subarray(0, 4));
  if (text === 'PK\x05\x06') return head.length === 22;
  if (text !== 'PK\x03\x04' || head.length < 30) return false;
  const nameBytes = head[26]! + 256 * head[27]!;
  return new TextDecoder().decode(head.subarray(30, 30 + nameBytes)).endsWith('.npy');
}

/**
 * Opens the arrays of a `.npz` archive (stored or deflated) by name, in the archive's order;
 * numbers stay in the file until they are asked for. A `.npy` file gives one array of the file's
 * name, without its end. Throws `numpy/format`, `numpy/size`, `numpy/dtype`, `numpy/text` and what
 * `@drover/zip` throws.
 */
export async function openArrays(
  source: ByteSource,
  limits: Partial<ZipLimits> = {},
): Promise<Map<string, Weight>> {
  const file = ByteHandle.range(source);
  const head = await file.read({ offset: 0, length: Math.min(file.length, 6) });
  if (isNpy(head)) {
    const name = nameOfNpy(source.name);
    return new Map([[name, await openNpy(file, name, source.name)]]);
  }
  const arrays = new Map<string, Weight>();
  const archive = await readZip(source, { ...limits, names: 'keys' });
  for (const entry of archive.entries) {
    if (!entry.name.endsWith('.npy')) {
      const message = `${JSON.stringify(entry.name)} is not an array.`;
      throw numpyDiagnostics.error('format', {
        message,
        origin: { file: source.name, offset: entry.offset },
      });
    }
    const name = entry.name.slice(0, -4);
    const bytes = await archive.open(entry);
    arrays.set(name, await openNpy(bytes, name, `${source.name}/${entry.name}`));
  }
  return arrays;
}

/** Reads the arrays of a `.npz` or `.npy` file into memory; see {@link openArrays}. */
export async function readArrays(
  source: ByteSource,
  limits: Partial<ZipLimits> = {},
): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  for (const [name, weight] of await openArrays(source, limits))
    arrays.set(name, await weight.tensor());
  return arrays;
}

/**
 * Writes `.npy` files, as {@link npyOf} makes them, into an uncompressed `.npz` archive by the
 * names of their arrays, in the order given, in pieces. Equal arrays give equal bytes: there is no
 * time in them. The file is not closed. Throws `zip/name` for a name that leads out of the archive.
 */
export async function writeNpz(
  file: SinkFile,
  arrays: ReadonlyMap<string, ByteHandle>,
): Promise<void> {
  const archive = new ZipWriter(file, { names: 'keys' });
  for (const [name, npy] of arrays) await archive.add(`${name}.npy`, npy);
  await archive.finish();
}

/** A `.npz` archive in memory; see {@link writeNpz}. */
export async function encodeNpz(arrays: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const sink = new MemorySink();
  const files = new Map<string, ByteHandle>();
  for (const [name, tensor] of arrays) files.set(name, await npyOf(Weight.from(tensor), name));
  await writeNpz(await sink.create('arrays.npz'), files);
  await sink.commit();
  return sink.files.get('arrays.npz')!;
}
