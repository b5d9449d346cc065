import type { PlacedGroup } from './variables-tree.js';

/** Groups of one file, with the names that are read from them. */
export interface Shard {
  readonly groups: readonly PlacedGroup[];
  readonly names: readonly (readonly string[])[];
}

/**
 * Groups spread over files of at most a size, in the order of their paths, as Keras fills them: one
 * group may be in several files. A weight that is larger has a file of its own.
 */
export function shardsOf(
  groups: readonly PlacedGroup[],
  names: readonly (readonly string[])[],
  shardSize = Infinity,
): readonly Shard[] {
  const all = groups
    .map((group, i) => ({ group, key: group.path.join('/'), own: names[i]! }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const shards: { groups: PlacedGroup[]; names: (readonly string[])[] }[] = [];
  let bytes = 0;
  const begin = () => {
    bytes = 0;
    shards.push({ groups: [], names: [] });
  };
  begin();
  for (const { group, own } of all) {
    let weights: PlacedGroup['weights'][number][] = [];
    let read: string[] = [];
    const put = () => {
      shards.at(-1)!.groups.push({ ...group, weights });
      shards.at(-1)!.names.push(read);
      [weights, read] = [[], []];
    };
    group.weights.forEach((weight, i) => {
      const { length } = weight.tensor.weight.handle;
      if (bytes > 0 && bytes + length > shardSize) {
        if (weights.length > 0) put();
        begin();
      }
      bytes += length;
      weights.push(weight);
      read.push(own[i]!);
    });
    if (weights.length > 0 || group.weights.length === 0) put();
  }
  return shards;
}
