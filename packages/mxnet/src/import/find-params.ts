import { coreDiagnostics, type Source } from '@drover/core';
import { decodeParams, type NdArrayRecord } from '../codec/decode-params.js';
import { paramsAmong } from '../codec/params-path.js';

/** The params file of a symbol, by the rule of {@link paramsAmong}. */
export async function findParams(symbol: Source): Promise<Source | undefined> {
  const found = paramsAmong(symbol.name, await symbol.siblings());
  return found === undefined ? undefined : symbol.sibling(found);
}

/** An array of a params file. */
export interface ParamsArray extends NdArrayRecord {
  /** Auxiliary states are kept by training, arguments are trained; a file need not say which. */
  readonly role: 'parameter' | 'buffer' | undefined;
}

/**
 * The arrays of a params file by the names of the variables: without `arg:` and `aux:`. Throws
 * `core/duplicate` and the errors of the codec.
 */
export async function readArrays(source: Source): Promise<ReadonlyMap<string, ParamsArray>> {
  const { records } = await decodeParams(source);
  const arrays = new Map<string, ParamsArray>();
  for (const record of records) {
    const [prefix] = /^(arg|aux):/.exec(record.name) ?? [''];
    const name = record.name.slice(prefix.length);
    if (arrays.has(name))
      throw coreDiagnostics.error('duplicate', {
        message: `${JSON.stringify(name)} names two arrays.`,
        origin: { file: source.name },
      });
    const role = prefix === 'aux:' ? 'buffer' : prefix === 'arg:' ? 'parameter' : undefined;
    arrays.set(name, { ...record, role });
  }
  return arrays;
}
