import type { Source } from '@drover/core';
import { DataLocation } from '../schema/onnx.js';
import { decodeModel } from './decode.js';
import { externalLocation } from './external-data.js';
import { tensorsOf } from './tensors-of.js';

/**
 * Paths of the files in which tensors of a model lie, each once, whether they are there or not.
 * Errors: those of {@link decodeModel}, `core/path` and `onnx/external-data`.
 */
export async function externalFiles(source: Source): Promise<readonly string[]> {
  const paths = new Set<string>();
  for (const tensor of tensorsOf('ModelProto', await decodeModel(source)))
    if (tensor.dataLocation === DataLocation.EXTERNAL)
      paths.add(externalLocation(tensor, source.name).path);
  return [...paths];
}
