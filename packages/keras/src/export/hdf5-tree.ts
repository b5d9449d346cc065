import { maxTexts, type NewDataset, type NewGroup } from '../codec/hdf5/write-hdf5.js';
import { variablesGroup } from '../codec/weights.js';
import type { PlacedGroup } from './variables-tree.js';

type Attributes = Map<string, string | readonly string[]>;

interface MutableGroup extends NewGroup {
  readonly attributes: Attributes;
  readonly members: Map<string, NewGroup | NewDataset>;
}

const newGroup = (): MutableGroup => ({ kind: 'group', attributes: new Map(), members: new Map() });

/** The group of a path below another one, made where it is missing. */
function groupAt(root: MutableGroup, path: readonly string[]): MutableGroup {
  let group = root;
  for (const part of path) {
    const below = group.members.get(part);
    const next = below?.kind === 'group' ? (below as MutableGroup) : newGroup();
    group.members.set(part, next);
    group = next;
  }
  return group;
}

/**
 * A dataset for each weight of a group. Names that its place does not tell, and further ones, are
 * attributes.
 */
function datasets(
  { weights }: PlacedGroup,
  names: readonly string[],
): readonly (readonly [key: string, NewDataset])[] {
  return weights.map(({ key, tensor: { name, weight, aliases } }, i) => {
    const attributes: Attributes = new Map();
    if (weight.dtype === 'bfloat16') attributes.set('dtype', 'bfloat16');
    if (names[i] !== name) attributes.set('name', name);
    if (aliases.length > 0) attributes.set('aliases', aliases);
    const { dtype, shape, handle: bytes } = weight;
    return [key, { kind: 'dataset', dtype, shape, bytes, attributes }];
  });
}

/** The root of a file in the layout of variables, with texts as its attributes. */
export function variablesFile(
  groups: readonly PlacedGroup[],
  names: readonly (readonly string[])[],
  texts: ReadonlyMap<string, string>,
): NewGroup {
  const root = newGroup();
  for (const [key, text] of texts) root.attributes.set(key, text);
  groups.forEach((group, i) => {
    const variables = groupAt(root, [...group.path, variablesGroup]);
    if (group.name !== undefined) variables.attributes.set('name', group.name);
    for (const [key, dataset] of datasets(group, names[i]!)) variables.members.set(key, dataset);
  });
  return root;
}

/**
 * The root of a file in the legacy layout. Where `isModel`, the weights are below `model_weights`,
 * as Keras has them beside the configuration of a model.
 */
export function legacyFile(
  layers: readonly PlacedGroup[],
  optimizer: PlacedGroup | undefined,
  names: readonly (readonly string[])[],
  texts: ReadonlyMap<string, string>,
  isModel: boolean,
): NewGroup {
  const root = newGroup();
  for (const [key, text] of texts) root.attributes.set(key, text);
  const weights = isModel ? groupAt(root, ['model_weights']) : root;
  for (const key of ['keras_version', 'backend']) {
    const text = texts.get(key);
    if (text !== undefined) weights.attributes.set(key, text);
  }
  const layerNames = layers.map(({ name }) => name!);
  setTexts(
    weights,
    'layer_names',
    layerNames.filter((name) => name !== ''),
  );
  const put = (at: MutableGroup, group: PlacedGroup, own: readonly string[]) => {
    setTexts(
      at,
      'weight_names',
      group.weights.map(({ key }) => key),
    );
    for (const [key, dataset] of datasets(group, own)) {
      const path = key.split('/').filter((part) => part !== '');
      groupAt(at, path.slice(0, -1)).members.set(path.at(-1)!, dataset);
    }
  };
  layers.forEach((group, i) => {
    const path = group.name === '' ? ['top_level_model_weights'] : group.name!.split('/');
    put(groupAt(weights, path), group, names[i]!);
  });
  if (isModel && !layerNames.includes(''))
    setTexts(groupAt(weights, ['top_level_model_weights']), 'weight_names', []);
  if (optimizer) put(groupAt(root, optimizer.path), optimizer, names[layers.length]!);
  return root;
}

/** A list of texts in one attribute, or in several that are numbered. */
function setTexts(group: MutableGroup, name: string, texts: readonly string[]): void {
  if (texts.length <= maxTexts) group.attributes.set(name, texts);
  else
    for (let i = 0; i * maxTexts < texts.length; i++)
      group.attributes.set(`${name}${i}`, texts.slice(i * maxTexts, (i + 1) * maxTexts));
}
