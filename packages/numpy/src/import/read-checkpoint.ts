import { TensorStore, type Checkpoint, type Source } from '@drover/core';
import { roleOfType, type ReadContext } from '@drover/core/format';
import { openArrays } from '../codec/npz.js';
import { reportRaw } from '../report-raw.js';

/**
 * Reads the arrays of a `.npz` by their names, in its order, or the one of a `.npy` by the name of
 * the file. Tells what is bfloat16 (`numpy/raw`). Errors: those of {@link openArrays}.
 */
export async function readCheckpoint(source: Source, { report }: ReadContext): Promise<Checkpoint> {
  const { name: file } = source;
  const tensors = Array.from(await openArrays(source), ([name, weight]) => ({
    name,
    weight,
    role: roleOfType(weight.dtype),
    aliases: [],
  }));
  reportRaw(tensors, file, report);
  return { store: new TensorStore(tensors), format: 'numpy', versions: {}, file };
}
