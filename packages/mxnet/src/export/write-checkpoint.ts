import { coreDiagnostics, isFloat, type Checkpoint, type Sink } from '@drover/core';
import { flatTensors, tellTensor, type NamedTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { encodeParams } from '../codec/encode-params.js';
import { isLoaded } from '../codec/type-flag.js';
import { mxnetDiagnostics } from '../diagnostics.js';

/**
 * Writes the tensors of a checkpoint as a params file that `mx.nd.load` of MXNet 1.9.1 reads, each
 * under each of its names, which stay as they are: Module finds those with `arg:` and `aux:`,
 * Gluon's `load_parameters` both. A scalar becomes a list of one element, which is told.
 */
export async function writeCheckpoint(
  { store }: Checkpoint,
  sink: Sink,
  { path, report, tensor }: Writing,
): Promise<void> {
  const arrays = flatTensors(store, path, report);
  for (const { name, weight } of arrays) {
    const why = refusal(name, weight);
    if (why !== undefined)
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${JSON.stringify(name)} ${why}.`,
          help: isFloat(weight.dtype)
            ? 'Give --dtype float32, which holds every float of fewer bits exactly.'
            : 'Cast or rename the tensor in the source, or leave it out with --only.',
          origin: { file: path, node: name },
        }),
      );
  }
  const scalars = arrays.filter(({ weight }) => weight.shape.length === 0);
  if (scalars.length > 0)
    report.add(
      mxnetDiagnostics.diagnostic('scalar', {
        message: `Scalars are stored as lists of one element: ${scalars.map(({ name }) => JSON.stringify(name)).join(', ')}.`,
        origin: { file: path },
      }),
    );
  report.throwIfErrors();
  const written = arrays.map(({ name, weight }) => ({
    name,
    weight: weight.shape.length === 0 ? weight.reshape([1]) : weight,
  }));
  const file = await sink.create(path);
  await encodeParams(
    file,
    written.map(({ name, weight: { dtype, shape, handle } }) => ({
      name,
      dtype,
      shape,
      bytes: handle,
    })),
    path,
  );
  await file.close();
  for (const { name, weight } of written) tellTensor(name, weight, tensor);
}

/** Why a params file cannot hold a tensor, in words that follow its name. */
function refusal(name: string, { dtype }: NamedTensor['weight']): string | undefined {
  if (/\p{Surrogate}/u.test(name)) return 'is no valid Unicode';
  return isLoaded(dtype) ? undefined : `is ${dtype}, which MXNet 1.9 does not load`;
}
