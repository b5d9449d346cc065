import type { StoredTensor, Structure, TensorStore } from '@drover/core';
import { variablesGroup } from '../codec/weights.js';
import type { LayerVariable } from '../vocabulary/layer-variables.js';
import type { VariableGroup } from '../vocabulary/variable-groups.js';

/** Where a tensor is written: the names that lead to its group, and its key there. */
export interface Place {
  readonly group: readonly string[];
  readonly key: string;
}

/** Where the tensors of a checkpoint of Keras stood, by their names. */
export interface Former {
  readonly layout: 'legacy' | 'variables';
  readonly places: ReadonlyMap<string, Place>;
  /** The groups, those without tensors, too, in their order. */
  readonly groups: readonly (readonly string[])[];
}

/** The places that the structure of a checkpoint of Keras tells. */
export function formerOf(layout: string | undefined, structure: Structure | undefined): Former {
  const places = new Map<string, Place>();
  const groups: (readonly string[])[] = [];
  const visit = (each: Structure, path: readonly string[]): void => {
    if (each.kind !== 'map') return;
    const isGroup =
      layout === 'legacy'
        ? each.entries.every(([, { kind }]) => kind !== 'map')
        : path.at(-1) === variablesGroup;
    const group = layout === 'legacy' ? path : path.slice(0, -1);
    if (isGroup) groups.push(group);
    for (const [name, below] of each.entries) {
      const key = String(name);
      if (below.kind === 'tensor') places.set(below.name, { group, key });
      else visit(below, [...path, key]);
    }
  };
  if (structure && (layout === 'legacy' || layout === 'variables')) visit(structure, []);
  return { layout: layout === 'legacy' ? 'legacy' : 'variables', places, groups };
}

/** A variable that the configuration tells of. */
export interface Slot {
  readonly group: VariableGroup;
  readonly index: number;
  readonly variable: LayerVariable;
  readonly name: string;
}

/** The variables of the groups, in their order. */
export const slotsOf = (groups: readonly VariableGroup[]): readonly Slot[] =>
  groups.flatMap((group) =>
    (group.variables ?? []).map((variable, index) => ({
      group,
      index,
      variable,
      name: group.name === '' ? variable.name : `${group.name}/${variable.name}`,
    })),
  );

/** What training moves first, and then the rest: the order in which the legacy layout has them. */
export const inLegacyOrder = (slots: readonly Slot[]): readonly Slot[] => [
  ...slots.filter(({ variable }) => variable.isTrained),
  ...slots.filter(({ variable }) => !variable.isTrained),
];

/** Values by what each belongs to, in their order. */
export function grouped<K, V>(values: Iterable<V>, keyOf: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}

/** The layer that a tensor belongs to: where the legacy layout had it, or by its name. */
export function layerOf({ name }: StoredTensor, former: Former): string {
  const place = former.layout === 'legacy' ? former.places.get(name) : undefined;
  const path = place?.group.filter((part, i) => i > 0 || part !== 'model_weights');
  return path?.join('/') ?? name.slice(0, Math.max(0, name.indexOf('/')));
}

/**
 * The variable that each tensor of a model is, by the tensor's name: that of its name, or, in a
 * layer whose names are others, the one of its place in the layer, as Keras itself finds it.
 */
export function slotsByTensor(
  store: TensorStore,
  groups: readonly VariableGroup[],
  former: Former,
): ReadonlyMap<string, Slot> {
  const slots = slotsOf(groups);
  const byName = new Map(slots.map((slot) => [slot.name, slot]));
  const found = new Map<string, Slot>();
  const layers = grouped(
    [...store].filter(({ role }) => role !== 'optimizer'),
    (tensor) => layerOf(tensor, former),
  );
  for (const [layer, tensors] of layers) {
    const named = tensors.map(({ name }) => byName.get(name));
    const placed = inLegacyOrder(slots.filter(({ group }) => group.layer === layer));
    const isByPlace =
      named.includes(undefined) && former.layout === 'legacy' && placed.length === tensors.length;
    tensors.forEach(({ name }, i) => {
      const slot = isByPlace ? placed[i] : named[i];
      if (slot) found.set(name, slot);
    });
  }
  return found;
}
