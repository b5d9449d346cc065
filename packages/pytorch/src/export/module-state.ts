import type { Structure } from '@drover/core';
import { nodesIn } from './structure-nodes.js';

type Entry = readonly [key: string, Structure];

/** What of a module goes into its state dict, and what does not. */
export interface ModuleState {
  readonly entries: readonly Entry[];
  /** What has tensors and is no parameter or buffer of it, or a buffer that is not kept. */
  readonly left: readonly Entry[];
}

const entriesOf = (structure: Structure | undefined): readonly Entry[] =>
  structure?.kind === 'map'
    ? structure.entries.map(([key, each]) => [String(key), each] as const)
    : [];

function hasTensors(structure: Structure): boolean {
  for (const { kind } of nodesIn(structure)) if (kind === 'tensor') return true;
  return false;
}

/** The buffers of a module that `state_dict()` leaves out. */
function passingBuffers(set: Structure | undefined): ReadonlySet<unknown> {
  const items = set?.kind === 'list' ? set.items : [];
  return new Set(items.map((each) => each.kind === 'value' && each.value));
}

/**
 * The state dict of an `nn.Module` that was pickled whole, as `Module.state_dict()` gives it, or of
 * one of TorchScript, whose members stand beside one another. undefined for any other object.
 */
export function moduleStateOf(structure: Structure): ModuleState | undefined {
  if (structure.kind !== 'opaque') return undefined;
  const members = entriesOf(structure.state);
  const parts = new Map(members);
  const tables = ['_parameters', '_buffers', '_modules'].map((name) => parts.get(name));
  const isPickled = tables.every((table) => table?.kind === 'map');
  if (!isPickled && !structure.type.startsWith('__torch__.')) return undefined;
  const entries: Entry[] = [];
  const left: Entry[] = [];
  const nest = (key: string, each: Structure): void => {
    const inner = moduleStateOf(each);
    const nested = ([name, of]: Entry) => [`${key}.${name}`, of] as const;
    if (!inner) left.push([key, each]);
    entries.push(...(inner?.entries ?? []).map(nested));
    left.push(...(inner?.left ?? []).map(nested));
  };
  if (isPickled) {
    const passing = passingBuffers(parts.get('_non_persistent_buffers_set'));
    for (const entry of tables.slice(0, 2).flatMap((table) => entriesOf(table)))
      (passing.has(entry[0]) ? left : entries).push(entry);
    for (const [key, each] of entriesOf(tables[2])) nest(key, each);
    const own = new Set<unknown>(tables);
    left.push(...members.filter(([, each]) => !own.has(each)));
  } else
    for (const [key, each] of members)
      if (each.kind === 'tensor') entries.push([key, each]);
      else nest(key, each);
  const withTensors = (of: readonly Entry[]) => of.filter(([, each]) => hasTensors(each));
  return { entries: withTensors(entries), left: withTensors(left) };
}
