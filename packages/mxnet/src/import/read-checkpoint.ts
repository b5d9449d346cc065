import {
  TensorStore,
  Weight,
  type Checkpoint,
  type Source,
  type StoredTensor,
  type Structure,
} from '@drover/core';
import { roleOfType, type ReadContext } from '@drover/core/format';
import { decodeParams } from '../codec/decode-params.js';
import { mxnetDiagnostics } from '../diagnostics.js';

/**
 * Reads the arrays of a params file by their names as they are stored, with `arg:` and `aux:` where
 * the file has them; those of a list without names by their places. Auxiliary states are buffers.
 * Sparse arrays are filled up, and what is no array is left out; both is told. Errors: those of
 * {@link decodeParams}.
 */
export async function readCheckpoint(source: Source, { report }: ReadContext): Promise<Checkpoint> {
  const { name: file } = source;
  const { named, records } = await decodeParams(source);
  const tensors: StoredTensor[] = [];
  for (const [i, { name: stored, dtype, shape, storage, bytes }] of records.entries()) {
    const name = named ? stored : String(i);
    const origin = { file, node: name };
    if (storage.kind === 'none') {
      report.add(
        mxnetDiagnostics.diagnostic('array-left', {
          message: `${JSON.stringify(name)} has neither shape nor elements, and is left out.`,
          origin,
        }),
      );
      continue;
    }
    if (storage.kind !== 'dense')
      report.add(
        mxnetDiagnostics.diagnostic('sparse', {
          message: `${JSON.stringify(name)} is stored as ${storage.kind}, and is filled up with zeros.`,
          origin,
        }),
      );
    const role = name.startsWith('aux:') ? 'buffer' : roleOfType(dtype);
    tensors.push({ name, weight: Weight.stored(dtype, shape, name, bytes), role, aliases: [] });
  }
  const structure: Structure | undefined = named
    ? undefined
    : { kind: 'list', items: tensors.map(({ name }) => ({ kind: 'tensor', name })) };
  return { store: new TensorStore(tensors, { structure }), format: 'mxnet', versions: {}, file };
}
