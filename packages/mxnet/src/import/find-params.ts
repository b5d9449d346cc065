import { coreDiagnostics, type Source } from '@drover/core';
import { decodeParams, type NdArrayRecord } from '../codec/decode-params.js';
import { paramsAmong } from '../codec/params-path.js';

/** The params file of a symbol, by the rule of {@link paramsAmong}. */
export async function findParams(symbol: Source): Promise<Source | undefined> {
  const found = paramsAmong(symbol.name, await symbol.siblings());
  return found === undefined ? undefined : symbol.sibling(found);
}

/**
 * The arrays of a params file by the names of the variables: without `arg:` and `aux:`. Throws
 * `core/duplicate` and the errors of the codec.
 */
export async function readArrays(source: Source): Promise<ReadonlyMap<string, NdArrayRecord>> {
  const { records } = await decodeParams(source);
  const arrays = new Map<string, NdArrayRecord>();
  for (const record of records) {
    const name = record.name.replace(/^(arg|aux):/, '');
    if (arrays.has(name))
      throw coreDiagnostics.error('duplicate', {
        message: `${JSON.stringify(name)} names two arrays.`,
        origin: { file: source.name },
      });
    arrays.set(name, record);
  }
  return arrays;
}
