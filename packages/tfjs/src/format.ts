import { ByteHandle, type Format, type Sink, type Source, type WriteContext } from '@drover/core';
import { encodeModelJson, readModel as decodeModel } from './codec/index.js';
import { planModel, writeModel } from './export/write-model.js';
import { readModel } from './import/read-model.js';

/** Bytes at the beginning of a file in which one of the members of a model.json stands. */
const headBytes = 1 << 16;

/**
 * Whether a file is JSON that has the members of a model.json. Weights lie in other files, so the
 * topology can be megabytes of it.
 */
async function detect(source: Source): Promise<boolean> {
  const text = async (offset: number) =>
    new TextDecoder().decode(
      await source.read({ offset, length: Math.min(headBytes, source.size - offset) }),
    );
  const head = await text(0);
  if (!/^\uFEFF?\s*\{/.test(head)) return false;
  const isOurs = (part: string) => /"(modelTopology|weightsManifest)"\s*:/.test(part);
  return isOurs(head) || isOurs(await text(Math.max(0, source.size - headBytes)));
}

/** Writes the model again through the codec, and its shards byte for byte, quantised or not. */
async function copy(source: Source, sink: Sink, { path }: WriteContext): Promise<void> {
  const model = await decodeModel(source);
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  for (const name of model.groups.flatMap(({ paths }) => paths)) {
    const shard = await source.sibling(name);
    const file = await sink.create(folder + name);
    for await (const chunk of ByteHandle.range(shard).chunks()) await file.write(chunk);
    await file.close();
  }
  const file = await sink.create(path);
  await file.write(new TextEncoder().encode(JSON.stringify(encodeModelJson(model, model.groups))));
  await file.close();
}

/**
 * TensorFlow.js: reads graph models, and writes those that TF.js 4.22 runs on its cpu and wasm
 * backends.
 */
export const tfjs: Format = {
  id: 'tfjs',
  fileName: 'model.json',
  detect,
  read: readModel,
  write: writeModel,
  plan: planModel,
  copy,
};
