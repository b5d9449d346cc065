import type { Source } from '@drover/core';
import { decodeParams, type NdArrayRecord } from '../codec/index.js';
import { mxnetDiagnostics } from '../diagnostics.js';

/**
 * The params file of a symbol: PREFIX-NNNN.params beside PREFIX-symbol.json, the latest epoch; else
 * the only params file there.
 */
export async function findParams(symbol: Source): Promise<Source | undefined> {
  const base = symbol.name.slice(symbol.name.lastIndexOf('/') + 1);
  const prefix = base.replace(/(-symbol)?\.json$/, '');
  const names = (await symbol.siblings()).filter((name) => name.endsWith('.params'));
  const epochs = names.filter(
    (name) => name.startsWith(`${prefix}-`) && /^\d+\.params$/.test(name.slice(prefix.length + 1)),
  );
  const found =
    epochs.at(-1) ??
    names.find((name) => name === `${prefix}.params`) ??
    (names.length === 1 ? names[0] : undefined);
  return found === undefined ? undefined : symbol.sibling(found);
}

/**
 * The arrays of a params file by the names of the variables: without `arg:` and `aux:`. Throws
 * `mxnet/duplicate` and the errors of the codec.
 */
export async function readArrays(source: Source): Promise<ReadonlyMap<string, NdArrayRecord>> {
  const { records } = await decodeParams(source);
  const arrays = new Map<string, NdArrayRecord>();
  for (const record of records) {
    const name = record.name.replace(/^(arg|aux):/, '');
    if (arrays.has(name))
      throw mxnetDiagnostics.error('duplicate', {
        message: `${JSON.stringify(name)} names two arrays.`,
        origin: { file: source.name },
      });
    arrays.set(name, record);
  }
  return arrays;
}
