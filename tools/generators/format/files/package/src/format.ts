import { ByteHandle, type Format, type Sink, type Source } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { about } from './about.js';
import { isModelFile, readModelFile, siblingWeights, weightsPath } from './codec/index.js';
import { __name__Diagnostics } from './diagnostics.js';
import { planModel, writeModel } from './export/write-model.js';
import { readModel } from './import/read-model.js';

async function copyFile(source: Source, sink: Sink, path: string): Promise<void> {
  const file = await sink.create(path);
  for await (const piece of ByteHandle.range(source).chunks()) await file.write(piece);
  await file.close();
}

/** Writes both files again, byte for byte, under the name of the copy. */
async function copyModel(
  source: Source,
  sink: Sink,
  { path }: Pick<WriteContext, 'path'>,
): Promise<void> {
  for (const weights of await weightFiles(source))
    await copyFile(await source.sibling(weights), sink, weightsPath(path));
  await copyFile(source, sink, path);
}

/** The file of the weights beside a model file, where it has tensors. */
async function weightFiles(source: Source): Promise<readonly string[]> {
  const { tensors } = await readModelFile(source);
  return tensors.length > 0 ? [siblingWeights(source.name)] : [];
}

/** The __title__ format: a graph as JSON, and its weights in a file beside it. */
export const __name__: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [__name__Diagnostics],
  detect: async (source) => ((await isModelFile(source)) ? 'model' : undefined),
  files: weightFiles,
  model: { read: readModel, write: writeModel, plan: planModel },
  copy: copyModel,
};
