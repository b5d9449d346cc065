import { TensorStore, type Checkpoint, type Source, type StoredTensor } from '@drover/core';
import { roleOfType } from '@drover/core/format';
import { readWeights } from '../codec/decode-manifest.js';
import { weightOf } from '../codec/model.js';

/**
 * Reads the weights of a manifest, or of a layers model, in the order of the manifest; quantised
 * ones stand for the numbers that their codes mean. Those of the group `optimizer` are its state.
 * Errors: those of {@link readWeights}.
 */
export async function readCheckpoint(source: Source): Promise<Checkpoint> {
  const groups = await readWeights(source);
  const tensors = groups.flatMap(({ weights }) =>
    weights.map((each): StoredTensor => ({
      name: each.name,
      weight: weightOf(each),
      role: each.group === 'optimizer' ? 'optimizer' : roleOfType(each.dtype),
      aliases: [],
    })),
  );
  const store = new TensorStore(tensors);
  return { store, format: 'tfjs', versions: {}, file: source.name };
}
