import { DroverError, type Format, type Source } from '@drover/core';
import { protobufDiagnostics } from '@drover/protobuf';
import { about } from './about.js';
import { baseName, indexPath } from './codec/bundle-files.js';
import { latestPrefix } from './codec/checkpoint-state.js';
import { shardPaths } from './codec/decode-bundle.js';
import { footerBytes, isTableEnd } from './codec/table/read-table.js';
import { tensorflowDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { isState, readCheckpoint } from './import/read-checkpoint.js';

async function isIndex(source: Source): Promise<boolean> {
  if (source.size < footerBytes) return false;
  return isTableEnd(await source.read({ offset: source.size - 8, length: 8 }));
}

/** The weight files of a checkpoint, and its index where a file `checkpoint` names it. */
async function filesOf(source: Source): Promise<readonly string[]> {
  if (!(await isState(source))) return shardPaths(source);
  const path = indexPath(await latestPrefix(source));
  const folder = path.slice(0, path.length - baseName(path).length);
  let index: Source;
  try {
    index = await source.sibling(path);
  } catch (error) {
    if (error instanceof DroverError && error.failure === 'io') return [path];
    throw error;
  }
  return [path, ...(await shardPaths(index)).map((name) => folder + name)];
}

/** The TensorFlow format: checkpoints of an index and its weight files. */
export const tensorflow: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [tensorflowDiagnostics, protobufDiagnostics],
  detect: async (source) =>
    (await isIndex(source)) || (await isState(source)) ? 'checkpoint' : undefined,
  files: filesOf,
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
};
