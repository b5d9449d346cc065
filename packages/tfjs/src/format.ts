import { ByteHandle, type Format, type Sink, type Source } from '@drover/core';
import type { WriteContext } from '@drover/core/format';
import { graphdefDiagnostics } from '@drover/graphdef';
import { about } from './about.js';
import { encodeModelJson, type GroupSpec } from './codec/encode-model.js';
import { readModel as decodeModel } from './codec/decode-model.js';
import { shardPaths, shardsOf } from './codec/shard-paths.js';
import { tfjsDiagnostics } from './diagnostics.js';
import { planModel, writeModel } from './export/write-model.js';
import { readModel } from './import/read-model.js';

/** Bytes at the beginning of a file in which one of the members of a model.json stands. */
const headBytes = 1 << 16;

/**
 * Whether a file is JSON that has the members of a model.json. Weights lie in other files, so the
 * topology can be megabytes of it.
 */
async function detect(source: Source): Promise<'model' | undefined> {
  const text = async (offset: number) =>
    new TextDecoder().decode(
      await source.read({ offset, length: Math.min(headBytes, source.size - offset) }),
    );
  const head = await text(0);
  if (!/^\uFEFF?\s*\{/.test(head)) return undefined;
  const isOurs = (part: string) => /"(modelTopology|weightsManifest)"\s*:/.test(part);
  const isModel = isOurs(head) || isOurs(await text(Math.max(0, source.size - headBytes)));
  return isModel ? 'model' : undefined;
}

/**
 * Writes the model again through the codec, and its shards byte for byte, quantised or not, named
 * after the copy.
 */
async function copy(
  source: Source,
  sink: Sink,
  { path }: Pick<WriteContext, 'path'>,
): Promise<void> {
  const model = await decodeModel(source);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const groups: GroupSpec[] = [];
  for (const [index, group] of model.groups.entries()) {
    const paths = shardPaths(path, index + 1, group.paths.length);
    for (const [i, name] of group.paths.entries()) {
      const shard = await source.sibling(name);
      const file = await sink.create(folder + paths[i]!);
      for await (const chunk of ByteHandle.range(shard).chunks()) await file.write(chunk);
      await file.close();
    }
    groups.push({ ...group, paths });
  }
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(JSON.stringify(encodeModelJson(model, groups))));
  await file.close();
}

/**
 * TensorFlow.js: reads graph models, and writes those that TF.js 4.22 runs on its cpu and wasm
 * backends.
 */
export const tfjs: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [tfjsDiagnostics, graphdefDiagnostics],
  detect,
  files: shardsOf,
  model: { read: readModel, write: writeModel, plan: planModel },
  copy,
};
