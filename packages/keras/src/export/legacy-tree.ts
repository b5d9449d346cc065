import type { TensorStore } from '@drover/core';
import type { Generation } from '../vocabulary/layer-variables.js';
import type { VariableGroup } from '../vocabulary/variable-groups.js';
import {
  grouped,
  inLegacyOrder,
  layerOf,
  slotsByTensor,
  slotsOf,
  type Former,
} from './placement.js';
import type { PlacedGroup } from './variables-tree.js';

/**
 * The groups of the legacy layout: the layers of the model in its order, each with its weights as
 * Keras expects them, which goes by their order alone. Tensors that no layer is known for follow,
 * by the first part of their names.
 */
export function legacyTree(
  store: TensorStore,
  groups: readonly VariableGroup[],
  former: Former,
  generation: Generation,
): { readonly layers: readonly PlacedGroup[]; readonly optimizer: PlacedGroup | undefined } {
  const keyOf = (name: string): string =>
    (former.layout === 'legacy' ? former.places.get(name)?.key.replace(/:\d+$/, '') : undefined) ??
    name;
  const suffix = generation === 2 ? ':0' : '';
  const weightOf = (tensor: PlacedGroup['weights'][number]['tensor']) => ({
    key: keyOf(tensor.name) + suffix,
    tensor,
  });
  const slots = slotsByTensor(store, groups, former);
  const ordered = inLegacyOrder(slotsOf(groups));
  const rank = new Map(ordered.map((slot, i) => [slot.name, i]));
  const isOwn = (group: VariableGroup) => group.name !== '' && !group.name.includes('/');
  const names = new Set([
    ...(groups.length > 0
      ? groups.filter(isOwn).map(({ layer }) => layer)
      : former.layout === 'legacy'
        ? former.groups
            .map((path) => path.filter((part, i) => i > 0 || part !== 'model_weights').join('/'))
            .filter((name) => name !== 'top_level_model_weights' && name !== 'optimizer_weights')
        : []),
  ]);
  const state = [...store].filter(({ role }) => role === 'optimizer');
  const byLayer = grouped(
    [...store].filter(({ role }) => role !== 'optimizer'),
    (tensor) => slots.get(tensor.name)?.group.layer ?? layerOf(tensor, former),
  );
  for (const layer of byLayer.keys()) names.add(layer);
  const rankOf = (name: string): number => rank.get(slots.get(name)?.name ?? '') ?? Infinity;
  const layers = [...names].map((layer) => ({
    path: [layer],
    name: layer,
    weights: (byLayer.get(layer) ?? [])
      .map((tensor) => [tensor, rankOf(tensor.name)] as const)
      .sort(([, a], [, b]) => (a === b ? 0 : a - b))
      .map(([tensor]) => weightOf(tensor)),
  }));
  return {
    layers,
    optimizer:
      state.length > 0
        ? { path: ['optimizer_weights'], name: undefined, weights: state.map(weightOf) }
        : undefined,
  };
}
