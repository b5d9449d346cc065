import { ByteHandle, type Format, type Sink, type Source } from '@drover/core';
import { readJson, type JsonValue, type WriteContext } from '@drover/core/format';
import { graphdefDiagnostics } from '@drover/graphdef';
import { about } from './about.js';
import { encodeModelJson, type GroupSpec } from './codec/encode-model.js';
import { readWeights } from './codec/decode-manifest.js';
import { readModel as decodeModel } from './codec/decode-model.js';
import { shardPaths, shardsOf } from './codec/shard-paths.js';
import { tfjsDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { planModel, writeModel } from './export/write-model.js';
import { readCheckpoint } from './import/read-checkpoint.js';
import { readModel } from './import/read-model.js';

/** Bytes at either end of a file in which the members of a model.json stand. */
const endBytes = 1 << 16;

/** What the topology of a layers model begins with, where no `format` says that it is one. */
const layers =
  /"modelTopology"\s*:\s*\{\s*"(model_config|keras_version|backend|class_name|config|training_config|name)"/;

/** Whether a text stands somewhere in a file. */
async function mentions(source: Source, text: string): Promise<boolean> {
  const decoder = new TextDecoder('latin1');
  let before = '';
  for await (const piece of ByteHandle.range(source).chunks()) {
    const here = before + decoder.decode(piece);
    if (here.includes(text)) return true;
    before = here.slice(-text.length);
  }
  return false;
}

/**
 * What a file is: JSON that has the members of a model.json, or a list of groups of weights.
 * Weights lie in other files, so the topology can be megabytes of it. What has no graph is a
 * checkpoint.
 */
async function contentOf(source: Source): Promise<'model' | 'checkpoint' | undefined> {
  const text = async (offset: number) =>
    new TextDecoder().decode(
      await source.read({ offset, length: Math.min(endBytes, source.size - offset) }),
    );
  const head = await text(0);
  if (/^\uFEFF?\s*\[\s*\{\s*"(paths|weights)"\s*:\s*\[/.test(head)) return 'checkpoint';
  if (!/^\uFEFF?\s*\{/.test(head)) return undefined;
  const ends = [head, await text(Math.max(0, source.size - endBytes))];
  const has = (pattern: RegExp) => ends.some((end) => pattern.test(end));
  if (!has(/"(modelTopology|weightsManifest)"\s*:/)) return undefined;
  if (has(/"format"\s*:\s*"graph-model"/)) return 'model';
  if (has(/"format"\s*:\s*"layers-model"/) || has(layers)) return 'checkpoint';
  const hasTopology = has(/"modelTopology"\s*:/) || (await mentions(source, '"modelTopology"'));
  return hasTopology ? 'model' : 'checkpoint';
}

/** The JSON of a file with other paths of its shards. */
function withPaths(json: JsonValue, paths: readonly (readonly string[])[]): JsonValue {
  const renamed = (groups: JsonValue): JsonValue =>
    (groups as Record<string, JsonValue>[]).map((group, i) => ({
      ...group,
      paths: [...paths[i]!],
    }));
  if (Array.isArray(json)) return renamed(json);
  const { weightsManifest = [], ...rest } = json as Record<string, JsonValue>;
  return { ...rest, weightsManifest: renamed(weightsManifest) };
}

/**
 * Writes a file again: a model through the codec, weights alone with all that stands beside them.
 * Shards are copied byte for byte, quantised or not, and named after the copy.
 */
async function copy(
  source: Source,
  sink: Sink,
  { path }: Pick<WriteContext, 'path'>,
): Promise<void> {
  const isModel = (await contentOf(source)) === 'model';
  const model = isModel ? await decodeModel(source) : undefined;
  const groups = model?.groups ?? (await readWeights(source));
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  const copied: GroupSpec[] = [];
  for (const [index, group] of groups.entries()) {
    const paths = shardPaths(path, index + 1, group.paths.length);
    for (const [i, name] of group.paths.entries()) {
      const shard = await source.sibling(name);
      const file = await sink.create(folder + paths[i]!);
      for await (const chunk of ByteHandle.range(shard).chunks()) await file.write(chunk);
      await file.close();
    }
    copied.push({ ...group, paths });
  }
  const json = model
    ? encodeModelJson(model, copied)
    : withPaths(
        (await readJson(source)).value,
        copied.map(({ paths }) => paths),
      );
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(JSON.stringify(json)));
  await file.close();
}

/**
 * TensorFlow.js: reads graph models, and writes those that TF.js 4.22 runs on its cpu and wasm
 * backends. Manifests by themselves and layers models are checkpoints.
 */
export const tfjs: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [tfjsDiagnostics, graphdefDiagnostics],
  detect: contentOf,
  files: shardsOf,
  model: { read: readModel, write: writeModel, plan: planModel },
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
  copy,
};
