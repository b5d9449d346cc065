import { isFloat, type TensorStore, type Weight } from '@drover/core';
import { conventions, type Convention, type Leaf } from './conventions.js';
import type { Form, Layer, Loose, Role } from './layer.js';
import { renamed } from './rules.js';
import { parseTensorName, type TensorName } from './tensor-name.js';

/** The tensors of a checkpoint that form layers, and those that do not. */
export interface CheckpointLayers {
  readonly layers: readonly Layer<string>[];
  readonly loose: readonly Loose<string>[];
  /** Whether the file has its tensors by their names, so that their order tells nothing. */
  readonly isSorted: boolean;
}

/** The tensors of one layer by their leaves. */
type Leaves = ReadonlyMap<string, { readonly name: string; readonly weight: Weight }>;

/** Whether the parts of a direction are in the name, as Keras's Bidirectional has them. */
function directionOf(path: readonly string[]): boolean | undefined {
  const names = path.map((each) => each.toLowerCase());
  if (names.some((each) => each.startsWith('backward'))) return true;
  return names.some((each) => each.startsWith('forward')) ? false : undefined;
}

/** Names that end with numbers in the order of these. */
const natural = new Intl.Collator('en', { numeric: true });

/**
 * The layers of a checkpoint: its tensors by what their names have in common, in the order of the
 * file, or where that is the one of their names, with numbers in their order. A tensor with several
 * names belongs to a layer by each of them. Tensors of the optimizer belong to none. `rename` says
 * what names stand for.
 */
export function checkpointLayers(
  store: TensorStore,
  rename: ReadonlyMap<string, string> = new Map(),
): CheckpointLayers {
  interface Group {
    readonly path: readonly string[];
    readonly layer: number | undefined;
    readonly isReverse: boolean | undefined;
    readonly leaves: Map<string, { readonly name: string; readonly weight: Weight }>;
  }
  const groups = new Map<string, Group>();
  const loose: Loose<string>[] = [];
  for (const tensor of store) {
    if (tensor.role === 'optimizer') continue;
    let isOther = true;
    for (const name of [tensor.name, ...tensor.aliases]) {
      const parsed = parseTensorName(renamed(name, rename)) ?? bareTable(name, tensor.weight);
      if (!parsed) continue;
      const { path, leaf, layer, isReverse = directionOf(path) } = parsed;
      // The projection of torch.nn's attention and the first of two separable convolutions are
      // layers beside others of their name.
      const own = /^(in_proj|depthwise)/.exec(leaf)?.[0];
      const key = JSON.stringify([path, layer, isReverse, own]);
      const group = groups.get(key) ?? { path, layer, isReverse, leaves: new Map() };
      groups.set(key, group);
      group.leaves.set(leaf, { name, weight: tensor.weight });
      isOther = false;
    }
    if (isOther) loose.push({ place: tensor.name, name: tensor.name, weight: tensor.weight });
  }
  for (const group of groups.values()) {
    if (![...group.leaves.keys()].some((leaf) => leaf.startsWith('depthwise'))) continue;
    const rest = groups.get(JSON.stringify([group.path, group.layer, group.isReverse, undefined]));
    if (!rest || [...rest.leaves.keys()].some((leaf) => leaf.startsWith('pointwise'))) continue;
    for (const [leaf, tensor] of rest.leaves) group.leaves.set(leaf, tensor);
    rest.leaves.clear();
  }
  const layers: Layer<string>[] = [];
  for (const { path, isReverse, leaves, layer } of groups.values()) {
    const [first, ...forms] = conventions
      .filter((each) => isKept(each, leaves))
      .map((each) => formOf(each, leaves));
    if (first)
      layers.push({
        title: [
          ...path,
          ...(layer === undefined ? [] : [`l${layer}`]),
          ...(isReverse ? ['reverse'] : []),
        ].join('.'),
        names: [{ path, trust: 1 }],
        isReverse,
        forms: [first, ...forms],
        tensors: [...leaves.values()].map(({ name }) => name),
      });
    else for (const { name, weight } of leaves.values()) loose.push({ place: name, name, weight });
  }
  const isSorted = isSortedByType(store);
  if (isSorted) layers.sort((a, b) => natural.compare(a.title, b.title));
  return { layers, loose, isSorted };
}

/** The tensor of a leaf among those of a layer. */
function heldBy({ names, ranks }: Leaf, leaves: Leaves) {
  for (const name of names) {
    const found = leaves.get(name);
    if (found && ranks.includes(found.weight.shape.length)) return found;
  }
  return undefined;
}

/** Whether a layer's tensors can be kept by a convention: all of them, and what tells it. */
function isKept({ leaves: known }: Convention, leaves: Leaves): boolean {
  const held = new Set(known.map((each) => heldBy(each, leaves)));
  return (
    heldBy(known[0], leaves) !== undefined && [...leaves.values()].every((each) => held.has(each))
  );
}

function formOf({ kind, name, leaves: known }: Convention, leaves: Leaves): Form<string> {
  const kept = new Map<Role, Leaf>();
  const parts = new Map<Role, Weight>();
  for (const each of known) {
    const found = heldBy(each, leaves);
    if (!found || parts.has(each.role)) continue;
    kept.set(each.role, each);
    parts.set(each.role, each.layout.to(rowOf(found.weight, each)));
  }
  return {
    kind,
    convention: name,
    parts,
    held: (role, part) => {
      const each = kept.get(role);
      if (!each) return undefined;
      const { name: place, weight } = heldBy(each, leaves)!;
      return {
        place,
        weight: each.layout.from(part, rowOf(weight, each)),
        row: each.row ?? [0, 1],
      };
    },
  };
}

/** What of a tensor is a leaf's. */
function rowOf(weight: Weight, { row }: Leaf): Weight {
  return row ? weight.slice(0, row[0], 1).reshape(weight.shape.slice(1)) : weight;
}

/** Whether the tensors of each type stand in the order of their names, as in safetensors. */
function isSortedByType(store: TensorStore): boolean {
  const last = new Map<string, string>();
  for (const { name, weight } of store) {
    const before = last.get(weight.dtype);
    if (before !== undefined && before > name) return false;
    last.set(weight.dtype, name);
  }
  return store.size > 1;
}

/** A matrix that is a parameter of its own, as a table that is looked up: under its whole name. */
function bareTable(name: string, { shape, dtype }: Weight): TensorName | undefined {
  return shape.length === 2 && isFloat(dtype)
    ? { path: name.split(/[./]/), leaf: 'weight' }
    : undefined;
}
