import { TensorStore, type Checkpoint, type StoredTensor, type Weight } from '@drover/core';
import { JsonCursor, parseJson, type JsonValue } from '@drover/core/format';
import { isObject, member, text, type JsonObject } from '../export/json-object.js';
import { formerOf, grouped, layerOf, type Former } from '../export/placement.js';
import type { LayerFinding } from '../export/translation.js';
import { groupsOf, type VariableGroup } from '../vocabulary/variable-groups.js';
import { translateKeras1 } from './translate-keras1.js';
import { translateWeights, weightsPerVariable } from './translate-weights.js';

/** A checkpoint of Keras 1 as one of Keras 2, and what is to be told of it. */
export interface Upgrade {
  readonly checkpoint: Checkpoint;
  /** Of the configuration: they matter where a whole model is written. */
  readonly findings: readonly LayerFinding[];
  /** Layers whose weights are not those that the configuration gives them, and why. */
  readonly mismatches: readonly LayerFinding[];
  /** Names of the tensors of the optimizer, which are left out. */
  readonly left: readonly string[];
}

/**
 * Whether a checkpoint is of Keras 1: it says so, or says no version, as Keras before 1.1 and the
 * weights of 1 without their model.
 */
export function isKeras1({ store: { metadata }, versions }: Checkpoint): boolean {
  const version = metadata.get('keras_version');
  if (version !== undefined) return version.startsWith('1.');
  return metadata.has('model_config') || versions['layout'] === 'legacy';
}

/** Whether its layers are known, and their weights in the order of Keras. */
export const isUpgradable = ({ store, versions }: Checkpoint): boolean =>
  store.metadata.has('model_config') && versions['layout'] === 'legacy';

/**
 * A checkpoint of a whole model of Keras 1 as Keras 2 would have it: the configuration, and the
 * weights under the names and in the layouts of Keras 2. Weights are found by their order in each
 * layer, as Keras itself does: it has to be {@link isUpgradable}. Throws `core/json` where the
 * configuration is damaged.
 */
export function upgradeKeras1(checkpoint: Checkpoint): Upgrade {
  const { store, versions, file } = checkpoint;
  const former = formerOf(versions['layout'], store.structure);
  const before = parseJson(store.metadata.get('model_config')!, 'model_config');
  const isTheano = ofTheano(former);
  const { config, findings } = translateKeras1(before, isTheano);
  const groups = groupsOf(new JsonCursor(config, 'model_config'), 2);
  const tensors: StoredTensor[] = [];
  const mismatches: LayerFinding[] = [];
  const left: string[] = [];
  const byLayer = grouped(
    [...store].filter(({ role, name }) => role !== 'optimizer' || void left.push(name)),
    (tensor) => layerOf(tensor, former),
  );
  const within = layersWithin(before, former);
  for (const [layer, held] of byLayer) {
    const layers = within.get(layer) ?? [layer];
    const own = groups.filter((group) => layers.includes(group.layer) && group.variables);
    const wanted = own.reduce((sum, group) => sum + countOf(group), 0);
    if (wanted === held.length) tensors.push(...translated(own, held, isTheano));
    else {
      tensors.push(...held);
      mismatches.push({
        layer,
        className: groups.find((group) => group.layer === layer)?.className ?? '',
        kind: own.length > 0 ? 'meaning' : 'custom',
        why: `has ${held.length} weights of Keras 1, where ${wanted} are known of it`,
      });
    }
  }
  const metadata = new Map(store.metadata);
  metadata.set('model_config', JSON.stringify(config));
  metadata.set('keras_version', '2.0.0');
  // Optimizers of Keras 1 have other arguments.
  metadata.delete('training_config');
  const upgraded = new TensorStore(tensors, { metadata });
  return {
    checkpoint: { store: upgraded, format: 'keras', versions: { keras: '2.0.0' }, file },
    findings,
    mismatches,
    left,
  };
}

/**
 * The layers of the sequences within a sequence, by the groups of their weights. The configuration
 * has no names for these sequences: their places in the file tell.
 */
function layersWithin(
  model: JsonValue,
  { groups }: Former,
): ReadonlyMap<string, readonly string[]> {
  const entries = isObject(model) ? member(model, 'config') : undefined;
  const names = groups.flatMap(([root, ...path]) => (root === 'model_weights' ? path : []));
  if (!Array.isArray(entries) || entries.length !== names.length) return new Map();
  const namesIn = (layer: JsonValue): readonly string[] => {
    const config = isObject(layer) ? member(layer, 'config') : undefined;
    if (Array.isArray(config)) return config.flatMap(namesIn);
    return isObject(config) ? [text(config, 'name') ?? ''] : [];
  };
  return new Map(names.map((name, i) => [name, namesIn(entries[i] as JsonValue)]));
}

/**
 * Whether Theano computed the model: variables of TensorFlow have numbers, `dense_1_W:0`, and those
 * of Theano have none.
 */
const ofTheano = ({ places }: Former): boolean =>
  [...places.values()].every(({ key }) => !/:\d+$/.test(key));

const configOf = ({ config }: VariableGroup): JsonObject =>
  isObject(config.value) ? config.value : {};

/** How many weights of Keras 1 the variables of an object are. */
const countOf = (group: VariableGroup): number =>
  group.variables!.length * weightsPerVariable(group.className, configOf(group));

const statistics = new Set(['moving_mean', 'moving_variance']);

/**
 * The weights of a layer by the objects in it: what training moves comes first, whether a model
 * around it is trained or not.
 */
function translated(
  groups: readonly VariableGroup[],
  held: readonly StoredTensor[],
  isTheano: boolean,
): readonly StoredTensor[] {
  const isTrained = (group: VariableGroup, name: string) =>
    !statistics.has(name) && configOf(group)['trainable'] !== false;
  const taken = new Map<VariableGroup, StoredTensor[]>(groups.map((group) => [group, []]));
  let at = 0;
  for (const trained of [true, false])
    for (const group of groups) {
      const own = group.variables!.filter(({ name }) => isTrained(group, name) === trained);
      const count = own.length * weightsPerVariable(group.className, configOf(group));
      taken.get(group)!.push(...held.slice(at, at + count));
      at += count;
    }
  return groups.flatMap((group) => {
    const config = configOf(group);
    const weights = taken.get(group)!.map(({ weight }): Weight => weight);
    return translateWeights(group.className, config, weights, isTheano).map(
      (weight, i): StoredTensor => {
        const { name } = group.variables![i]!;
        return {
          name: group.name === '' ? name : `${group.name}/${name}`,
          weight,
          role: statistics.has(name) ? 'buffer' : 'parameter',
          aliases: [],
        };
      },
    );
  });
}
