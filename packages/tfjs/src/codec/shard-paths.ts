import type { Source } from '@drover/core';
import { checkPath, readJson } from '@drover/core/format';
import { manifestOf } from './decode-manifest.js';

/**
 * Paths of the `count` shards of a group beside the JSON file at `path`. Those of a `model.json`
 * are called as tensorflowjs does, `group1-shard1of2.bin`; those of a `NAME.json`
 * `NAME-group1-shard1of2.bin`, so that models in one folder share none.
 */
export function shardPaths(path: string, group: number, count: number): readonly string[] {
  const base = path.slice(path.lastIndexOf('/') + 1);
  const prefix = base === 'model.json' ? '' : `${base.replace(/\.json$/, '')}-`;
  return Array.from(
    { length: count },
    (_, i) => `${prefix}group${group}-shard${i + 1}of${count}.bin`,
  );
}

/**
 * Paths of the shards that a model.json or a manifest names, each once, whether they are there or
 * not. Errors: `core/json`, `core/limit`, `core/path`.
 */
export async function shardsOf(source: Source): Promise<readonly string[]> {
  const manifest = manifestOf(await readJson(source));
  const paths = (manifest?.items() ?? []).flatMap((group) => group.require('paths').items());
  return [...new Set(paths.map((path) => checkPath(path.string(), source.name)))];
}
