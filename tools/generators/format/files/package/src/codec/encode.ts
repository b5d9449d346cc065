import type { ByteHandle, Sink } from '@drover/core';
import { modelVersion, type FileTensor, type ModelFile } from './model-file.js';
import { weightsPath } from './weights-path.js';

/** A tensor to store: as many bytes as its type and shape ask for. */
export interface WritableTensor extends Omit<FileTensor, 'offset'> {
  readonly bytes: ByteHandle;
}

/**
 * Writes a model file and, where there are tensors, its weight file, first: a model file that is
 * there is whole. Weights pass through in pieces. The sink is not committed.
 */
export async function writeModelFile(
  model: Omit<ModelFile, 'tensors'>,
  tensors: readonly WritableTensor[],
  sink: Sink,
  path: string,
): Promise<void> {
  const placed: FileTensor[] = [];
  if (tensors.length > 0) {
    const weights = await sink.create(weightsPath(path));
    let offset = 0;
    for (const { bytes, ...tensor } of tensors) {
      for await (const piece of bytes.chunks()) await weights.write(piece);
      placed.push({ ...tensor, offset });
      offset += bytes.length;
    }
    await weights.close();
  }
  const json = {
    format: '__name__',
    version: modelVersion,
    inputs: model.inputs,
    tensors: placed,
    operators: model.operators.map((each) => ({
      ...each,
      attributes: Object.fromEntries(each.attributes),
    })),
    outputs: model.outputs,
    metadata: Object.fromEntries(model.metadata),
  };
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(`${JSON.stringify(json, undefined, 1)}\n`));
  await file.close();
}
