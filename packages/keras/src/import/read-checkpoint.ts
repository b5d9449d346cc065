import {
  DroverError,
  TensorStore,
  Weight,
  type Checkpoint,
  type Report,
  type Source,
  type StoredTensor,
  type Structure,
  type TensorRole,
} from '@drover/core';
import { JsonCursor, parseJson, UniqueNames, type ReadContext } from '@drover/core/format';
import { readKerasFile } from '../codec/keras-file.js';
import {
  variablesGroup,
  type KerasWeight,
  type KerasWeights,
  type WeightGroup,
} from '../codec/weights.js';
import { kerasDiagnostics } from '../diagnostics.js';
import { generationOf } from '../vocabulary/generation.js';
import { groupsOf, type VariableGroup } from '../vocabulary/variable-groups.js';
import { namesOf } from '../vocabulary/weight-names.js';

/**
 * Reads a checkpoint of Keras. Weights are named as {@link namesOf} says; where two have one name,
 * the later one has a number appended (`keras/renamed`). The structure has the file's own groups.
 * What stands below `optimizer` is optimizer state, running statistics and states of generators are
 * buffers, the rest are parameters. What the configuration names is not looked up: layers of other
 * classes than Keras' own, and such as carry code, are data. Errors as for
 * `readKerasFile`, and `core/limit` for a configuration that nests too deep.
 */
export async function readCheckpoint(source: Source, { report }: ReadContext): Promise<Checkpoint> {
  const { weights: stored, metadata, assets } = await readKerasFile(source);
  const file = source.name;
  if (assets.length > 0)
    report.add(
      kerasDiagnostics.diagnostic('assets', {
        message: `${file} holds ${assets.length} files beside its weights, such as ${assets[0]}.`,
        origin: { file },
      }),
    );
  const described = describedBy(metadata, file);
  const weights = { ...stored, groups: inModelOrder(stored, described) };
  const tensors = new Tensors(file, report);
  const names = namesOf(weights, described);
  const entries = weights.groups.map((group, i) => {
    const held = group.weights.map(
      (weight, k) => [weight.key, tensors.add(weight, names[i]![k]!, group.path)] as const,
    );
    const path = weights.layout === 'legacy' ? group.path : [...group.path, variablesGroup];
    return [path, held] as const;
  });
  const version = metadata.get('keras_version');
  return {
    store: new TensorStore(tensors.all, { metadata, structure: structureOf(entries) }),
    format: 'keras',
    versions: { layout: weights.layout, ...(version !== undefined && { keras: version }) },
    file,
  };
}

/** What the configuration tells of variables; nothing where it is damaged or none. */
function describedBy(
  metadata: ReadonlyMap<string, string>,
  file: string,
): readonly VariableGroup[] {
  const text = metadata.get('model_config');
  if (text === undefined) return [];
  try {
    return groupsOf(new JsonCursor(parseJson(text, file), file), generationOf(metadata));
  } catch (error) {
    if (error instanceof DroverError && error.failure === 'malformed') return [];
    throw error;
  }
}

/**
 * Groups in the order of the model, where a file has them by name: that of the configuration, or of
 * the numbers that Keras gives the layers of one class; optimizer state comes last.
 */
function inModelOrder(
  { layout, groups }: KerasWeights,
  described: readonly VariableGroup[],
): readonly WeightGroup[] {
  if (layout === 'legacy') return groups;
  const places = new Map(described.map(({ path }, i) => [path.join('/'), i]));
  const placeOf = ({ path }: WeightGroup): number => {
    if (isOptimizer(path)) return Infinity;
    for (let length = path.length; length > 0; length--) {
      const place = places.get(path.slice(0, length).join('/'));
      if (place !== undefined) return place;
    }
    return 0;
  };
  const placed = groups.map((group) => [group, placeOf(group)] as const);
  // Twice Infinity is no difference.
  return placed
    .sort(([one, a], [other, b]) => (a === b ? byNumber(one.path, other.path) : a - b))
    .map(([group]) => group);
}

/** Compares paths by the numbers of the keys `dense`, `dense_1`, …, `dense_10` of one class. */
function byNumber(a: readonly string[], b: readonly string[]): number {
  const at = a.findIndex((key, i) => key !== b[i]);
  const [one, other] = [numbered(a[at] ?? ''), numbered(b[at] ?? '')];
  return at >= 0 && one.name === other.name ? one.number - other.number : 0;
}

function numbered(key: string): { readonly name: string; readonly number: number } {
  const [, name = key, number = '0'] = /^(.+)_(\d+)$/.exec(key) ?? [];
  return { name, number: Number(number) };
}

const buffers = /(^|\/)(moving_mean|moving_variance|mean|variance|count|vector_u)$/;
const generators = /(^|\/)seed_generator\w*(\/|$)/;
const isOptimizer = ([root]: readonly string[]): boolean =>
  root === 'optimizer' || root === 'optimizer_weights';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The tensors of a file: what is stored once and named twice is one, with a further name. */
class Tensors {
  readonly all: Mutable<StoredTensor>[] = [];
  readonly #names = new UniqueNames();
  readonly #byIdentity = new Map<string, Mutable<StoredTensor>>();

  constructor(
    private readonly file: string,
    private readonly report: Report,
  ) {}

  /** Where the structure has it. */
  add(weight: KerasWeight, wanted: string, path: readonly string[]): Structure {
    const { dtype, shape, bytes, identity } = weight;
    const origin = { file: this.file, node: wanted };
    if (dtype === undefined) {
      this.report.add(
        kerasDiagnostics.diagnostic('no-elements', {
          message: `${JSON.stringify(wanted)} is no array of numbers.`,
          origin,
        }),
      );
      return { kind: 'opaque', type: 'dataset' };
    }
    const name = this.#names.unique(wanted);
    if (name !== wanted)
      this.report.add(
        kerasDiagnostics.diagnostic('renamed', {
          message: `${JSON.stringify(wanted)} stands for two weights; the later one is ${JSON.stringify(name)}.`,
          origin,
        }),
      );
    const known = this.#byIdentity.get(identity);
    const further = weight.aliases.map((alias) => this.#names.unique(alias));
    if (known) known.aliases = [...known.aliases, name, ...further];
    else {
      const tensor = {
        name,
        weight: Weight.stored(dtype, shape, name, bytes),
        role: roleOf(name, path),
        aliases: further,
      };
      this.all.push(tensor);
      this.#byIdentity.set(identity, tensor);
    }
    return { kind: 'tensor', name };
  }
}

function roleOf(name: string, path: readonly string[]): TensorRole {
  if (isOptimizer(path)) return 'optimizer';
  return buffers.test(name) || generators.test(name) ? 'buffer' : 'parameter';
}

type Entries = (readonly [string, Structure])[];

/** Groups by their paths, as nested maps. */
function structureOf(
  groups: readonly (readonly [
    path: readonly string[],
    held: readonly (readonly [string, Structure])[],
  ])[],
): Structure {
  const root: Entries = [];
  const open = new Map<string, Entries>([['', root]]);
  const at = (path: readonly string[]): Entries => {
    const key = path.join('/');
    let entries = open.get(key);
    if (!entries) {
      entries = [];
      open.set(key, entries);
      at(path.slice(0, -1)).push([path.at(-1)!, { kind: 'map', entries }]);
    }
    return entries;
  };
  for (const [path, held] of groups) at(path).push(...held);
  return { kind: 'map', entries: root };
}
