import type { Format, Sink, Source } from '@drover/core';
import { decodeParams } from './codec/decode-params.js';
import { paramsAmong } from './codec/params-path.js';
import { readSymbol } from './codec/decode-symbol.js';
import { about } from './about.js';
import { mxnetDiagnostics } from './diagnostics.js';
import { planModel, writeFiles, writeModel } from './export/write-model.js';
import { findParams } from './import/find-params.js';
import { readModel } from './import/read-model.js';

/** Bytes at the start of a file in which a symbol shows itself. */
const headBytes = 4096;

/** A symbol file begins as a JSON object whose nodes have `op`, `name` and `inputs`. */
async function isSymbol(source: Source): Promise<boolean> {
  const bytes = await source.read({ offset: 0, length: Math.min(headBytes, source.size) });
  const text = new TextDecoder().decode(bytes);
  return (
    /^\s*\{/.test(text) &&
    /"nodes"\s*:\s*\[/.test(text) &&
    /"op"\s*:\s*"/.test(text) &&
    /"inputs"\s*:/.test(text)
  );
}

async function copyModel(
  source: Source,
  sink: Sink,
  { path, params }: { readonly path: string; readonly params?: Source | undefined },
): Promise<void> {
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
 * The MXNet format: symbol JSON of any version from 0.8 on with the params beside it; written for
 * 1.9.1.
 */
export const mxnet: Format<typeof about.options.read, typeof about.options.write> = {
  ...about,
  diagnostics: [mxnetDiagnostics],
  detect: async (source) => ((await isSymbol(source)) ? 'model' : undefined),
  files: async (source) => {
    const params = paramsAmong(source.name, await source.siblings());
    return params === undefined ? [] : [params];
  },
  model: { read: readModel, write: writeModel, plan: planModel },
  copy: copyModel,
};
