import type { Source } from '@drover/core';
import { checkPath, readJson } from '@drover/core/format';
import { byCodePoints } from './code-point-order.js';

/** An index of shards, as `model.safetensors.index.json` holds it. */
export interface ShardIndex {
  /** What stands under `metadata`, `total_size` apart; what is no text as JSON. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The names of the tensors of each shard, by the path of its file; sorted by the path. */
  readonly shards: ReadonlyMap<string, readonly string[]>;
}

/** The size of all tensors, which follows from the shards. */
const totalSize = 'total_size';

/**
 * Reads an index: no shard is opened. Throws `core/json`, `core/duplicate`, `core/limit`, and
 * `core/path` for a shard outside the folder.
 */
export async function decodeIndex(source: Source): Promise<ShardIndex> {
  const json = await readJson(source);
  const metadata = new Map(
    (json.get('metadata')?.members() ?? [])
      .filter(([key]) => key !== totalSize)
      .map(([key, { value }]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
  );
  const shards = new Map<string, string[]>();
  for (const [name, at] of json.require('weight_map').members()) {
    const path = checkPath(at.string(), source.name);
    const names = shards.get(path);
    if (names) names.push(name);
    else shards.set(path, [name]);
  }
  return { metadata, shards: new Map([...shards].sort(([a], [b]) => byCodePoints(a, b))) };
}

/** Whether text is the start of an index: its first tensor lies in a safetensors file. */
export const isIndexHead = (text: string): boolean =>
  /^\s*\{/.test(text) &&
  /"weight_map"\s*:\s*\{\s*(\}|"(?:[^"\\]|\\.)*"\s*:\s*"[^"]*\.safetensors")/.test(text);

/** The text of an index: the shard of each tensor, and the bytes of all of them. */
export function encodeIndex(shardOf: ReadonlyMap<string, string>, bytes: number): string {
  const lines = [...shardOf]
    .sort(([a], [b]) => byCodePoints(a, b))
    .map((pair) => `    ${pair.map((text) => JSON.stringify(text)).join(': ')}`);
  const map = lines.length > 0 ? `{\n${lines.join(',\n')}\n  }` : '{}';
  return `{\n  "metadata": {\n    "${totalSize}": ${bytes}\n  },\n  "weight_map": ${map}\n}\n`;
}
