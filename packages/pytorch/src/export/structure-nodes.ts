import type { Structure } from '@drover/core';

/** A structure and all that it is made of. */
export function* nodesIn(structure: Structure): Iterable<Structure> {
  yield structure;
  if (structure.kind === 'list') for (const item of structure.items) yield* nodesIn(item);
  else if (structure.kind === 'opaque' && structure.state) yield* nodesIn(structure.state);
  else if (structure.kind === 'map') {
    for (const [, each] of structure.entries) yield* nodesIn(each);
    if (structure.attributes) yield* nodesIn(structure.attributes);
  }
}
