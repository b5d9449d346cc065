import { ByteHandle, type Format, type Sink, type Source } from '@drover/core';
import { decodeParams, isParams } from './codec/decode-params.js';
import { paramsAmong } from './codec/params-path.js';
import { readSymbol } from './codec/decode-symbol.js';
import { about } from './about.js';
import { mxnetDiagnostics } from './diagnostics.js';
import { writeCheckpoint } from './export/write-checkpoint.js';
import { planModel, writeFiles, writeModel } from './export/write-model.js';
import { findParams } from './import/find-params.js';
import { readCheckpoint } from './import/read-checkpoint.js';
import { readModel } from './import/read-model.js';

/** Bytes at the start of a file in which a symbol shows itself. */
const headBytes = 4096;

/** What a file is. A symbol begins as a JSON object whose nodes have `op`, `name` and `inputs`. */
async function contentOf(source: Source): Promise<'model' | 'checkpoint' | undefined> {
  const bytes = await source.read({ offset: 0, length: Math.min(headBytes, source.size) });
  if (isParams(bytes)) return 'checkpoint';
  const text = new TextDecoder().decode(bytes);
  const isSymbol =
    /^\s*\{/.test(text) &&
    /"nodes"\s*:\s*\[/.test(text) &&
    /"op"\s*:\s*"/.test(text) &&
    /"inputs"\s*:/.test(text);
  return isSymbol ? 'model' : undefined;
}

/** Writes a params file again as it is, once its headers are found to be whole. */
async function copyParams(source: Source, sink: Sink, path: string): Promise<void> {
  await decodeParams(source);
  const file = await sink.create(path);
  for await (const piece of ByteHandle.range(source).chunks()) await file.write(piece);
  await file.close();
}

async function copy(
  source: Source,
  sink: Sink,
  { path, params }: { readonly path: string; readonly params?: Source | undefined },
): Promise<void> {
  if ((await contentOf(source)) === 'checkpoint') return copyParams(source, sink, path);
  const { graph } = await readSymbol(source);
  const stored = params ?? (await findParams(source));
  const records = stored ? (await decodeParams(stored)).records : [];
  await writeFiles(
    graph,
    records.filter(({ storage }) => storage.kind !== 'none'),
    sink,
    path,
  );
}

/**
 * The MXNet format: symbol JSON of any version from 0.8 on with the params beside it, and params
 * files by themselves; written for 1.9.1.
 */
export const mxnet: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [mxnetDiagnostics],
  detect: contentOf,
  files: async (source) => {
    if ((await contentOf(source)) === 'checkpoint') return [];
    const params = paramsAmong(source.name, await source.siblings());
    return params === undefined ? [] : [params];
  },
  model: { read: readModel, write: writeModel, plan: planModel },
  checkpoint: { read: readCheckpoint, write: writeCheckpoint },
  copy,
};
