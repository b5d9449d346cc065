import type { StoredTensor, TensorStore } from '@drover/core';
import type { KerasWeights } from '../codec/weights.js';
import { namesOf } from '../vocabulary/weight-names.js';
import type { VariableGroup } from '../vocabulary/variable-groups.js';
import { grouped, slotsByTensor, type Former, type Place } from './placement.js';

/** A tensor at its place. */
interface Placed extends Place {
  readonly tensor: StoredTensor;
}

/** The variables of an object: in the order of their keys. */
export interface PlacedGroup {
  readonly path: readonly string[];
  /** What the object is called, for Keras' readers of files. */
  readonly name: string | undefined;
  readonly weights: readonly { readonly key: string; readonly tensor: StoredTensor }[];
}

/** Kernels come before biases, as Keras makes them, whatever the order of a foreign file. */
const firstNames = ['kernel', 'depthwise_kernel', 'pointwise_kernel', 'recurrent_kernel', 'bias'];
const order = [...firstNames, 'gamma', 'beta', 'moving_mean', 'moving_variance'];
const rankOf = (name: string): number => {
  const at = order.indexOf(name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('.')) + 1));
  return at < 0 ? order.length : at;
};

/**
 * The groups of the layout of variables: those of the model, from its configuration, in which Keras
 * looks for its weights; for a tensor that is in none of them the place where it stood, or one that
 * is made from its name, `layers/dense/vars/0` for the first of `dense`.
 *
 * @param source The groups under the names of the version that wrote the checkpoint.
 * @param target The same groups as the version that is written has them.
 */
export function variablesTree(
  store: TensorStore,
  source: readonly VariableGroup[],
  target: readonly VariableGroup[],
  former: Former,
): readonly PlacedGroup[] {
  const slots = slotsByTensor(store, source, former);
  // A sequence of Keras 3 begins with its input, and one of older versions need not.
  const isNoInput = ({ className }: VariableGroup) => className !== 'InputLayer';
  const targets = target.filter(isNoInput);
  const places = new Map(source.filter(isNoInput).map((group, i) => [group, targets[i]!]));
  const groups = new Map<string, { path: readonly string[]; placed: Placed[] }>();
  const groupAt = (path: readonly string[]) => {
    const key = path.join('/');
    const known = groups.get(key) ?? { path, placed: [] };
    groups.set(key, known);
    return known;
  };
  for (const { path } of target) groupAt(path);
  if (former.layout === 'variables') for (const path of former.groups) groupAt(path);
  const rest: StoredTensor[] = [];
  for (const tensor of store) {
    const slot = slots.get(tensor.name);
    const stood = former.layout === 'variables' ? former.places.get(tensor.name) : undefined;
    const place = slot ? { group: places.get(slot.group)!.path, key: `${slot.index}` } : stood;
    if (place) groupAt(place.group).placed.push({ ...place, tensor });
    else rest.push(tensor);
  }
  const custom = new Map(target.filter(({ variables }) => !variables).map((g) => [g.layer, g]));
  const added = grouped(rest, (tensor) => pathFor(tensor, custom).join('/'));
  for (const tensors of added.values()) {
    const path = pathFor(tensors[0]!, custom);
    const { placed } = groupAt(path);
    const taken = new Set(placed.map(({ key }) => key));
    let next = 0;
    const ranked =
      former.places.size > 0
        ? tensors
        : tensors.toSorted((a, b) => rankOf(a.name) - rankOf(b.name));
    for (const tensor of ranked) {
      while (taken.has(`${next}`)) next++;
      placed.push({ group: path, key: `${next++}`, tensor });
    }
  }
  // Keras 2 opens the variables of the root, whether it has some or not.
  groupAt([]);
  const names = new Map(target.map(({ path, name }) => [path.join('/'), name.split('/').at(-1)!]));
  return [...groups].map(([key, { path, placed }]) => ({
    path,
    name: names.get(key) || undefined,
    weights: placed
      .toSorted((a, b) => Number(a.key) - Number(b.key))
      .map(({ key: at, tensor }) => ({ key: at, tensor })),
  }));
}

/** Where a tensor is put that has no place: by the name of its layer. */
function pathFor(
  { name, role }: StoredTensor,
  custom: ReadonlyMap<string, VariableGroup>,
): readonly string[] {
  if (role === 'optimizer') return ['optimizer'];
  const end = name.includes('/') ? name.lastIndexOf('/') : name.lastIndexOf('.');
  const layer = name.slice(0, Math.max(0, end));
  const own = custom.get(layer.split('/')[0]!);
  if (own) return own.path;
  const parts = layer === '' ? [] : layer.split('/');
  // What HDF5 or this layout takes for something else.
  return ['layers', ...parts.map((part) => (/^(\.?|vars)$/.test(part) ? `${part}_` : part))];
}

/** The names that are read from such groups. */
export function namesRead(
  groups: readonly PlacedGroup[],
  described: readonly VariableGroup[],
  layout: KerasWeights['layout'] = 'variables',
): readonly (readonly string[])[] {
  return namesOf(
    {
      layout,
      places: [],
      groups: groups.map(({ path, name, weights }) => ({
        path,
        name,
        weights: weights.map(({ key, tensor: { weight } }) => ({
          key,
          dtype: weight.dtype,
          shape: weight.shape,
          bytes: weight.handle,
          identity: '',
          name: undefined,
          aliases: [],
        })),
      })),
    },
    described,
  );
}
