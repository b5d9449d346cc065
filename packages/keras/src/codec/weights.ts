import { coreDiagnostics, ByteHandle, type DType } from '@drover/core';
import { kerasDiagnostics } from '../diagnostics.js';
import { join, type Hdf5Dataset, type Hdf5File, type Hdf5Link } from './hdf5/hdf5-file.js';
import { hdf5Class } from './hdf5/module.js';

/** A stored weight. */
export interface KerasWeight {
  /**
   * Its name in the group: a number, or a name such as `dense/kernel:0`. Without a tensor: what is
   * no array of numbers.
   */
  readonly key: string;
  readonly dtype: DType | undefined;
  readonly shape: readonly number[];
  /** The elements, little-endian in C order. */
  readonly bytes: ByteHandle;
  /** Tells it from others: what is stored once and named twice has one identity. */
  readonly identity: string;
  /** A name that the file keeps for it. */
  readonly name: string | undefined;
  /** Further names that the file keeps for it. */
  readonly aliases: readonly string[];
}

/** The weights of a layer, an optimizer, or a part of one. */
export interface WeightGroup {
  /** Names that lead to it from the root of the file. */
  readonly path: readonly string[];
  /** What the layer is called, where the file tells. */
  readonly name: string | undefined;
  /** In the order in which the layer has them. */
  readonly weights: readonly KerasWeight[];
}

/** The weights of a file. */
export interface KerasWeights {
  /**
   * `legacy`: groups are layers, listed with their weights' names, as Keras 1 and 2 write `.h5` and
   * Keras 3 still does. `variables`: groups are objects by the attributes that lead to them, with
   * `vars` numbered, as `.keras` and `.weights.h5` have them.
   */
  readonly layout: 'legacy' | 'variables';
  /** Paths of the groups whose attributes tell of the model. */
  readonly places: readonly string[];
  readonly groups: readonly WeightGroup[];
}

/** Bounds that protect from hostile files. */
const limits = { depth: 64, objects: 200_000 };

const modelWeights = 'model_weights';
const optimizerWeights = 'optimizer_weights';
const topLevel = 'top_level_model_weights';
/** The group in which an object keeps its own variables. */
export const variablesGroup = 'vars';

/**
 * Finds the weights of an HDF5 file. Soft and external links are not followed: `keras/hdf5`. Throws
 * `keras/not-keras` where there are none as Keras writes them.
 */
export async function readWeights(file: Hdf5File): Promise<KerasWeights> {
  const root = await file.links('/');
  const legacyRoot = root.some(({ name, kind }) => name === modelWeights && kind === 'group')
    ? `/${modelWeights}`
    : '/';
  const layers = await texts(file, legacyRoot, 'layer_names');
  if (layers !== undefined) return readLegacy(file, legacyRoot, layers);
  const groups = await readVariables(file);
  if (groups.length > 0) return { layout: 'variables', places: ['/'], groups };
  throw kerasDiagnostics.error('not-keras', {
    message: `${file.name} is an HDF5 file, but has no weights as Keras writes them: neither layer_names nor groups of vars.`,
    origin: { file: file.name },
  });
}

/** A list of texts; long ones are spread over attributes that are numbered (64 kB each). */
async function texts(
  file: Hdf5File,
  path: string,
  name: string,
): Promise<readonly string[] | undefined> {
  const whole = await file.attribute(path, name);
  if (whole !== undefined) return typeof whole === 'string' ? [whole] : whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = await file.attribute(path, `${name}${i}`);
    if (part === undefined) return i === 0 ? undefined : parts;
    parts.push(...(typeof part === 'string' ? [part] : part));
  }
}

async function readLegacy(
  file: Hdf5File,
  root: string,
  layers: readonly string[],
): Promise<KerasWeights> {
  const groups: WeightGroup[] = [];
  const listed = new Map<string, Promise<ReadonlyMap<string, Hdf5Link>>>();
  const linksAt = (at: string) => {
    const known = listed.get(at) ?? file.links(at).then(byName);
    listed.set(at, known);
    return known;
  };
  const add = async (path: readonly string[], name: string | undefined) => {
    const at = `/${path.join('/')}`;
    const names = await texts(file, at, 'weight_names');
    if (names === undefined)
      throw kerasDiagnostics.error('not-keras', {
        message: `${at} of ${file.name} has no weight_names.`,
        origin: { file: file.name, node: at },
      });
    const weights: KerasWeight[] = [];
    for (const key of names) weights.push(await weightAt(file, linksAt, at, key));
    groups.push({ path, name, weights });
  };
  const start = root === '/' ? [] : [modelWeights];
  const held = new Set((await file.links(root)).map(({ name }) => name));
  for (const layer of layers) await add([...start, ...layer.split('/')], layer);
  if (held.has(topLevel)) await add([...start, topLevel], '');
  const beside = await file.links('/');
  if (start.length > 0 && beside.some(({ name }) => name === optimizerWeights))
    await add([optimizerWeights], undefined);
  return { layout: 'legacy', places: root === '/' ? ['/'] : ['/', root], groups };
}

const byName = (links: readonly Hdf5Link[]): ReadonlyMap<string, Hdf5Link> =>
  new Map(links.map((link) => [link.name, link]));

/** The weight that a path below a group leads to; no link out of the tree is followed. */
async function weightAt(
  file: Hdf5File,
  linksAt: (path: string) => Promise<ReadonlyMap<string, Hdf5Link>>,
  group: string,
  key: string,
): Promise<KerasWeight> {
  let at = group;
  const parts = key.split('/').filter((part) => part !== '');
  for (const [i, part] of parts.entries()) {
    const link = (await linksAt(at)).get(part);
    at = join(at, part);
    if (link === undefined)
      throw kerasDiagnostics.error('not-keras', {
        message: `${file.name} lists ${key} in ${group}, and has none.`,
        origin: { file: file.name, node: at },
      });
    checkLink(file, at, link.kind);
    if (i === parts.length - 1 && link.kind === 'dataset')
      return weightOf(file, key, await file.dataset(at), link.identity);
    if (link.kind !== 'group') break;
  }
  throw kerasDiagnostics.error('not-keras', {
    message: `${at} of ${file.name} is no dataset.`,
    origin: { file: file.name, node: at },
  });
}

function checkLink(file: Hdf5File, at: string, kind: string): void {
  if (kind === 'group' || kind === 'dataset' || kind === 'type') return;
  throw kerasDiagnostics.error('hdf5', {
    message: `${at} of ${file.name} is ${kind === 'soft link' ? 'a soft' : 'an external'} link, which is not followed.`,
    help: 'Keras writes no links. The file was made by hand: copy what the link names into its place.',
    origin: { file: file.name, node: at },
  });
}

async function readVariables(file: Hdf5File): Promise<readonly WeightGroup[]> {
  const groups: WeightGroup[] = [];
  const open = new Set<string>();
  let objects = 0;
  const visit = async (path: readonly string[]): Promise<void> => {
    const at = `/${path.join('/')}`;
    for (const { name, kind, identity } of await file.links(at)) {
      const below = join(at, name);
      checkLink(file, below, kind);
      if (++objects > limits.objects || path.length > limits.depth)
        throw coreDiagnostics.error('limit', {
          message: `${file.name} has more than ${limits.objects} objects, or groups nested more than ${limits.depth} deep.`,
          origin: { file: file.name, node: below },
        });
      if (kind !== 'group') continue;
      if (open.has(identity))
        throw kerasDiagnostics.error('hdf5', {
          message: `${below} of ${file.name} is a group within itself.`,
          origin: { file: file.name, node: below },
        });
      open.add(identity);
      if (name === variablesGroup) groups.push(await variablesOf(path, below));
      else await visit([...path, name]);
      open.delete(identity);
    }
  };
  const variablesOf = async (path: readonly string[], at: string): Promise<WeightGroup> => {
    const name = await file.attribute(at, 'name');
    const weights: KerasWeight[] = [];
    for (const link of await file.links(at)) {
      checkLink(file, join(at, link.name), link.kind);
      if (link.kind !== 'dataset') continue;
      const dataset = await file.dataset(join(at, link.name));
      weights.push(await weightOf(file, link.name, dataset, link.identity));
    }
    weights.sort((a, b) => a.key.length - b.key.length || (a.key < b.key ? -1 : 1));
    return { path, name: typeof name === 'string' ? name : undefined, weights };
  };
  await visit([]);
  return groups;
}

async function weightOf(
  file: Hdf5File,
  key: string,
  { path, description, bytes }: Hdf5Dataset,
  identity: string,
): Promise<KerasWeight> {
  const text = async (name: string) => {
    const value = await file.attribute(path, name);
    return typeof value === 'string' ? value : undefined;
  };
  return {
    key,
    dtype: description.shape === null ? undefined : dtypeOf(description, await text('dtype')),
    shape: description.shape ?? [],
    bytes: ByteHandle.range(bytes),
    identity: `${file.name}:${identity}`,
    name: await text('name'),
    aliases: (await texts(file, path, 'aliases')) ?? [],
  };
}

const floats = new Map<number, DType>([
  [2, 'float16'],
  [4, 'float32'],
  [8, 'float64'],
]);
const integers = new Map<string, DType>(
  (['int8', 'int16', 'int32', 'int64', 'uint8', 'uint16', 'uint32', 'uint64'] as const).map(
    (dtype) => [`${dtype[0] === 'i'} ${Number(/\d+/.exec(dtype)![0]) / 8}`, dtype],
  ),
);

/**
 * The element type of a dataset. Types that HDF5 does not have are bytes, whose attribute `dtype`
 * says what they are.
 */
function dtypeOf(
  { type, size, signed, enum_type, compound_type, littleEndian }: Hdf5Dataset['description'],
  named: string | undefined,
): DType | undefined {
  switch (type) {
    case hdf5Class.float:
      return named === 'bfloat16' && size === 2 ? 'bfloat16' : floats.get(size);
    case hdf5Class.integer:
      return named === 'bfloat16' && size === 2 ? 'bfloat16' : integers.get(`${signed} ${size}`);
    case hdf5Class.opaque:
      return named === 'bfloat16' && size === 2 ? 'bfloat16' : undefined;
    case hdf5Class.enum: {
      // As h5py writes numpy.bool.
      const { FALSE: no, TRUE: yes, ...more } = enum_type?.members ?? {};
      const isBool = no === 0 && yes === 1 && Object.keys(more).length === 0;
      return isBool && size === 1 ? 'bool' : undefined;
    }
    case hdf5Class.compound: {
      const members = compound_type?.members ?? [];
      const half = size / 2;
      const isComplex =
        littleEndian &&
        members.length === 2 &&
        members.every(
          (member, i) =>
            member.type === hdf5Class.float && member.size === half && member.offset === i * half,
        );
      if (!isComplex) return undefined;
      return half === 4 ? 'complex64' : half === 8 ? 'complex128' : undefined;
    }
    default:
      return undefined;
  }
}

/** The weights of several files in one: a group may be spread over some of them. */
export function mergeShards(shards: readonly KerasWeights[], file: string): KerasWeights {
  const groups = new Map<string, WeightGroup>();
  for (const { layout, groups: held } of shards) {
    if (layout !== 'variables')
      throw kerasDiagnostics.error('not-keras', {
        message: `A shard of ${file} has layer_names, which shards do not.`,
        origin: { file },
      });
    for (const group of held) {
      const path = group.path.join('/');
      const before = groups.get(path);
      const weights = [...(before?.weights ?? []), ...group.weights];
      const keys = new Set(before?.weights.map(({ key }) => key));
      const twice = group.weights.find(({ key }) => keys.has(key));
      if (twice)
        throw coreDiagnostics.error('duplicate', {
          message: `Two shards of ${file} have ${path}/${variablesGroup}/${twice.key}.`,
          origin: { file, node: path },
        });
      groups.set(path, { path: group.path, name: group.name ?? before?.name, weights });
    }
  }
  return { layout: 'variables', places: [], groups: [...groups.values()] };
}
