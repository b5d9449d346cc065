import { coreDiagnostics, type ByteHandle, type Checkpoint, type Sink } from '@drover/core';
import { flatTensors, tellTensor, type NamedTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { hasNpyType, npyOf, nameOfNpy } from '../codec/npy.js';
import { writeNpz } from '../codec/npz.js';
import { numpyDiagnostics } from '../diagnostics.js';
import { reportRaw } from '../report-raw.js';

/**
 * Writes the tensors of a checkpoint, each under each of its names: in a `.npz`, or where the path
 * ends in `.npy` the only one, which then has the name of the file. Arrays pass through in pieces.
 */
export async function writeCheckpoint(
  { store }: Checkpoint,
  sink: Sink,
  { path, report, tensor }: Writing,
): Promise<void> {
  const arrays = flatTensors(store, path, report);
  for (const { name, weight } of arrays)
    if (!hasNpyType(weight.dtype))
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${weight.dtype}, a type that NumPy does not have.`,
          help: 'Give --dtype float32, which holds every float of fewer bits exactly, or cast the tensor in the source.',
          origin: { file: path, node: name },
        }),
      );
  reportRaw(arrays, path, report);
  const isNpy = path.endsWith('.npy');
  if (isNpy) checkOnly(arrays, { path, report });
  report.throwIfErrors();
  // Text is read here: what NumPy cannot hold of it shows before a file is made.
  const files = new Map<string, ByteHandle>();
  for (const { name, weight } of arrays) files.set(name, await npyOf(weight, name));
  const file = await sink.create(path);
  if (isNpy) {
    const [npy] = files.values();
    for await (const piece of npy!.chunks()) await file.write(piece);
  } else await writeNpz(file, files);
  await file.close();
  for (const { name, weight } of arrays) tellTensor(name, weight, tensor);
}

/** Checks that there is one array, and tells that it loses its name. */
function checkOnly(
  arrays: readonly NamedTensor[],
  { path: file, report }: Pick<Writing, 'path' | 'report'>,
): void {
  const [first, ...more] = arrays;
  const node = first?.name;
  if (first === undefined || more.length > 0)
    report.add(
      numpyDiagnostics.diagnostic('one-array', {
        message: `A .npy file holds one array, and there are ${arrays.length}.`,
        origin: { file },
      }),
    );
  else if (node !== nameOfNpy(file))
    report.add(
      numpyDiagnostics.diagnostic('renamed', {
        message: `The array ${JSON.stringify(node)} goes by the name of the file, ${nameOfNpy(file)}.`,
        origin: { file, node },
      }),
    );
}
