import { ByteHandle, type Source } from '@drover/core';
import { checkPath, JsonCursor, parseJson, readJson } from '@drover/core/format';
import { readZip, type ZipArchive } from '@drover/zip';
import { kerasDiagnostics } from '../diagnostics.js';
import { hdf5Signature, openHdf5, type Hdf5File } from './hdf5/hdf5-file.js';
import { mergeShards, readWeights, type KerasWeights } from './weights.js';

/** What a file is. */
export type KerasContainer = 'hdf5' | 'archive' | 'shards';

/** What a file of Keras holds. All of it is data: no class, module or function is looked up. */
export interface KerasFile {
  readonly container: KerasContainer;
  readonly weights: KerasWeights;
  /** The texts beside the weights: `keras_version`, `backend`, `model_config` … */
  readonly metadata: ReadonlyMap<string, string>;
  /** Files of an archive beside its weights and its configuration: vocabularies. */
  readonly assets: readonly string[];
}

const weightsEntry = 'model.weights.h5';
const configEntry = 'config.json';
const metadataEntry = 'metadata.json';
/** Bytes at the start of a file in which an index shows itself. */
const headBytes = 4096;

/** What a file is, by its first bytes. */
export async function containerOf(source: Source): Promise<KerasContainer | undefined> {
  const length = Math.min(headBytes, source.size);
  const head = await source.read({ offset: 0, length });
  if (hdf5Signature.every((byte, i) => head[i] === byte)) return 'hdf5';
  const text = new TextDecoder().decode(head);
  if (/^\s*\{[^]*"weight_map"\s*:\s*\{\s*"(?:[^"\\]|\\.)*"\s*:\s*\[?\s*"[^"]*\.h5"/.test(text))
    return 'shards';
  // Keras writes its metadata or its configuration first.
  return /^PK.{28}(metadata|config)\.json/s.test(String.fromCharCode(...head.subarray(0, 64)))
    ? 'archive'
    : undefined;
}

/**
 * Reads what a file of Keras holds, of any version: whole models (`.h5` of Keras 1 to 3, `.keras`)
 * and weights alone (`.h5`, `.weights.h5`, shards with their `.weights.json`). No element is read.
 * Throws `keras/not-keras`, `keras/hdf5`, `core/json`, `core/limit`, `core/duplicate`,
 * `core/missing-file`, `core/path` and the errors of `readZip`.
 */
export async function readKerasFile(source: Source): Promise<KerasFile> {
  const container = await containerOf(source);
  if (container === 'shards') return readShards(source);
  if (container === 'hdf5') {
    const bytes = ByteHandle.range(source);
    return { container, assets: [], ...(await readHdf5(bytes, source.name)) };
  }
  if (container === 'archive') return readArchive(source);
  throw kerasDiagnostics.error('not-keras', {
    message: `${source.name} is neither HDF5, nor an archive or an index of Keras.`,
    origin: { file: source.name, offset: 0 },
  });
}

async function readHdf5(bytes: ByteHandle, name: string) {
  const file = await openHdf5(bytes, name);
  const weights = await readWeights(file);
  return { weights, metadata: await textsOf(file, weights) };
}

/** The texts that a file keeps as attributes. */
async function textsOf(file: Hdf5File, weights: KerasWeights): Promise<Map<string, string>> {
  const metadata = new Map<string, string>();
  for (const place of weights.places)
    for (const key of await file.attributes(place)) {
      const text = await file.attribute(place, key);
      if (typeof text === 'string' && !metadata.has(key)) metadata.set(key, text);
    }
  return metadata;
}

async function readArchive(source: Source): Promise<KerasFile> {
  const archive = await readZip(source);
  const stored = archive.get(weightsEntry);
  if (!stored)
    throw kerasDiagnostics.error('not-keras', {
      message: `${source.name} is an archive without ${weightsEntry}.`,
      origin: { file: source.name },
    });
  const metadata = new Map<string, string>();
  const config = await textOf(archive, configEntry);
  if (config !== undefined) metadata.set('model_config', config);
  const about = await textOf(archive, metadataEntry);
  if (about !== undefined)
    for (const [key, text] of new JsonCursor(
      parseJson(about, metadataEntry),
      metadataEntry,
    ).members())
      if (typeof text.value === 'string') metadata.set(key, text.value);
  let bytes = await archive.open(stored);
  // What is deflated can be read from its beginning only, and HDF5 is read here and there.
  if (stored.compression !== 'stored') bytes = ByteHandle.of(await bytes.read());
  const file = await openHdf5(bytes, source.name);
  const beside = archive.entries.filter(
    ({ name }) => !name.endsWith('/') && ![weightsEntry, configEntry, metadataEntry].includes(name),
  );
  return {
    container: 'archive',
    weights: await readWeights(file),
    metadata,
    assets: beside.map(({ name }) => name),
  };
}

async function textOf(archive: ZipArchive, name: string): Promise<string | undefined> {
  const entry = archive.get(name);
  return entry && new TextDecoder().decode(await (await archive.open(entry)).read());
}

/** The paths of the shards of an index, in the order in which it names them. */
export async function shardsOf(source: Source): Promise<readonly string[]> {
  const paths = new Set<string>();
  for (const [, value] of (await readJson(source)).require('weight_map').members())
    for (const each of value.isArray ? value.items() : [value])
      paths.add(checkPath(each.string(), source.name));
  return [...paths];
}

async function readShards(source: Source): Promise<KerasFile> {
  const shards: KerasWeights[] = [];
  const metadata = new Map<string, string>();
  for (const path of await shardsOf(source)) {
    const shard = await source.sibling(path);
    const file = await openHdf5(ByteHandle.range(shard), shard.name);
    const held = await readWeights(file);
    shards.push(held);
    for (const [key, text] of await textsOf(file, held))
      if (!metadata.has(key)) metadata.set(key, text);
  }
  const index = (await readJson(source)).require('weight_map');
  const weights = mergeShards(shards, source.name);
  const held = new Set(weights.groups.map(({ path }) => `/${[...path, 'vars'].join('/')}`));
  for (const [path] of index.members())
    if (!held.has(path.replace(/^\/\//, '/')))
      throw kerasDiagnostics.error('not-keras', {
        message: `No shard of ${source.name} has ${path}, which it lists.`,
        origin: { file: source.name, node: path },
      });
  return { container: 'shards', weights, metadata, assets: [] };
}
