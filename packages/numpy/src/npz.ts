import { zipSync, type Zippable } from 'fflate';
import { coreDiagnostics, type Source, type Tensor } from '@drover/core';
import { readZipDirectory, readZipEntry, type ZipLimits } from '@drover/zip';
import { numpyDiagnostics } from './diagnostics.js';
import { decodeNpy, encodeNpy, isNpy } from './npy.js';

const maxZipBytes = 0xffffffff;

/**
 * Reads the arrays of a `.npz` archive (stored or deflated) by name, in the archive's order. A
 * `.npy` file gives one array named `arr_0`, as `numpy.savez` names it. Throws `numpy/format`,
 * `numpy/size`, `numpy/dtype` and what `@drover/zip` throws.
 */
export async function readArrays(
  source: Source,
  limits?: Partial<ZipLimits>,
): Promise<Map<string, Tensor>> {
  const head = await source.read({ offset: 0, length: Math.min(source.size, 6) });
  if (isNpy(head)) return new Map([['arr_0', decodeNpy(await source.read(), source.name)]]);
  const arrays = new Map<string, Tensor>();
  for (const entry of await readZipDirectory(source, limits)) {
    const bytes = await readZipEntry(source, entry);
    if (!entry.name.endsWith('.npy')) {
      const message = `${JSON.stringify(entry.name)} is not an array.`;
      throw numpyDiagnostics.error('format', {
        message,
        origin: { file: source.name, offset: entry.offset },
      });
    }
    arrays.set(entry.name.slice(0, -4), decodeNpy(bytes, `${source.name}/${entry.name}`));
  }
  return arrays;
}

/**
 * Encodes arrays as an uncompressed `.npz` archive, in the order given. Equal arrays give equal
 * bytes: there is no time in them. Throws `numpy/dtype` for types that NumPy lacks and
 * `core/limit` past 4 GiB.
 */
export function encodeNpz(arrays: ReadonlyMap<string, Tensor>): Uint8Array {
  // ZIP counts local time from 1980 on; a Date in local time is the same everywhere once written.
  const options = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  const files = new Map<string, Zippable[string]>();
  let total = 22;
  for (const [name, tensor] of arrays) {
    const bytes = encodeNpy(tensor);
    total += bytes.length + 76 + 6 * (name.length + 4);
    files.set(`${name}.npy`, [bytes, options]);
  }
  if (total > maxZipBytes) {
    throw coreDiagnostics.error('limit', {
      message: `${total} bytes are more than a .npz without zip64 holds.`,
      help: 'Write fewer arrays at once.',
      origin: { file: '' },
    });
  }
  return zipSync(Object.fromEntries(files));
}
