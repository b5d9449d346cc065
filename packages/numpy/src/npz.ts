import {
  ByteHandle,
  MemorySink,
  Weight,
  type SinkFile,
  type ByteSource,
  type Tensor,
} from '@drover/core';
import { readZip, ZipWriter, type ZipLimits } from '@drover/zip';
import { numpyDiagnostics } from './diagnostics.js';
import { isNpy, npyOf, openNpy } from './npy.js';

/**
 * Opens the arrays of a `.npz` archive (stored or deflated) by name, in the archive's order;
 * numbers stay in the file until they are asked for. A `.npy` file gives one array named `arr_0`,
 * as `numpy.savez` names it. Throws `numpy/format`, `numpy/size`, `numpy/dtype` and what
 * `@drover/zip` throws.
 */
export async function openArrays(
  source: ByteSource,
  limits: Partial<ZipLimits> = {},
): Promise<Map<string, Weight>> {
  const file = ByteHandle.range(source);
  const head = await file.read({ offset: 0, length: Math.min(file.length, 6) });
  if (isNpy(head)) return new Map([['arr_0', await openNpy(file, 'arr_0', source.name)]]);
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
 * Writes arrays as an uncompressed `.npz` archive in the order given, in pieces. Equal arrays give
 * equal bytes: there is no time in them. The file is not closed. Throws `numpy/dtype` for types
 * that NumPy lacks.
 */
export async function writeNpz(file: SinkFile, arrays: ReadonlyMap<string, Weight>): Promise<void> {
  const archive = new ZipWriter(file, { names: 'keys' });
  for (const [name, weight] of arrays) await archive.add(`${name}.npy`, await npyOf(weight));
  await archive.finish();
}

/** A `.npz` archive in memory; see {@link writeNpz}. */
export async function encodeNpz(arrays: ReadonlyMap<string, Tensor>): Promise<Uint8Array> {
  const sink = new MemorySink();
  const weights = [...arrays].map(([name, tensor]) => [name, Weight.from(tensor)] as const);
  await writeNpz(await sink.create('arrays.npz'), new Map(weights));
  await sink.commit();
  return sink.files.get('arrays.npz')!;
}
