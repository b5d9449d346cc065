import { TensorStore, type Checkpoint, type Source } from '@drover/core';
import type { ReadContext } from '@drover/core/format';
import { readPytorchFile } from '../codec/read-file.js';
import { CheckpointWalk } from './checkpoint-walk.js';

/**
 * Reads a checkpoint: the tensors of a file wherever they are nested. A tensor is named by the keys
 * that lead to it, joined by dots; the three tables of a module that was pickled whole add none, so
 * that its tensors have the names of its state dict. Where two have one name, the later one has a
 * number appended (`pytorch/renamed`). Tensors of one storage, offset, shape and strides are one,
 * with further names. What is below a key such as `optimizer` or `optim_g` is optimizer state;
 * running statistics are buffers; the rest are parameters. Errors as for `readPytorchFile`.
 */
export async function readCheckpoint(source: Source, context: ReadContext): Promise<Checkpoint> {
  const { container, versions, parts, notes } = await readPytorchFile(source);
  for (const note of notes) context.report.add(note);
  const walk = new CheckpointWalk(source.name, context.report);
  for (const part of parts) walk.add(part);
  return {
    store: new TensorStore(walk.tensors, { structure: walk.structure }),
    format: 'pytorch',
    versions: { container, ...versions },
    file: source.name,
  };
}
