import {
  ByteHandle,
  coreDiagnostics,
  type Checkpoint,
  type Sink,
  type TensorStore,
} from '@drover/core';
import { JsonCursor, parseJson, reportStructure, tellTensor } from '@drover/core/format';
import { ZipWriter } from '@drover/zip';
import type { Writing } from '../about.js';
import { datatypeOf } from '../codec/hdf5/datatype.js';
import { encodeHdf5 } from '../codec/hdf5/write-hdf5.js';
import { variablesGroup } from '../codec/weights.js';
import { kerasDiagnostics } from '../diagnostics.js';
import { generationOf } from '../vocabulary/generation.js';
import type { Generation } from '../vocabulary/layer-variables.js';
import { groupsOf } from '../vocabulary/variable-groups.js';
import { isKeras1, isUpgradable, upgradeKeras1 } from '../keras1/upgrade-keras1.js';
import { legacyFile, variablesFile } from './hdf5-tree.js';
import { legacyTree } from './legacy-tree.js';
import { formerOf } from './placement.js';
import { toKeras2 } from './to-keras2.js';
import { toKeras3 } from './to-keras3.js';
import { shardsOf } from './shards.js';
import type { Translation } from './translation.js';
import { namesRead, variablesTree, type PlacedGroup } from './variables-tree.js';

/** What is written. */
type Container = 'archive' | 'weights' | 'hdf5';

const containerFor = (path: string): Container =>
  path.endsWith('.keras') ? 'archive' : /\.weights\.(h5|json)$/.test(path) ? 'weights' : 'hdf5';

/**
 * Writes a checkpoint by the end of its path: a whole model as `.keras`, weights as `.weights.h5`,
 * or in shards with their `.weights.json`, and under any other name an `.h5` in the legacy layout:
 * a whole model where the metadata has its configuration, else weights alone. `shardSize` makes
 * shards of a `.weights.h5`, too. A configuration of Keras 2 becomes one of Keras 3, or with
 * `kerasVersion` 2 the other way round; weights go where the layers of it look for them. What a
 * name cannot tell stands in attributes that Keras passes over, so that every name comes back.
 * Equal checkpoints give equal files; there are no dates but those of the metadata.
 *
 * A whole model of Keras 1 is made one of Keras 2 first.
 *
 * Throws `keras/no-config` where a whole model is asked for and there is none, `keras/code` where
 * it holds code, `keras/meaning` where the version that is written would compute something else,
 * `keras/keras-1` where the weights of Keras 1 lost their order, and `core/not-writable` for a
 * tensor that HDF5 cannot hold, or Keras 2 not read.
 */
export async function writeCheckpoint(
  checkpoint: Checkpoint,
  sink: Sink,
  context: Writing,
): Promise<void> {
  const { path, report } = context;
  const container = containerFor(path);
  const { store, versions, format } = isKeras1(checkpoint)
    ? upgraded(checkpoint, container, context)
    : checkpoint;
  const isOwn = format === 'keras';
  checkWritable(store, context);
  const { metadata, source, target } = modelOf(store, container, context);
  // Without a version Keras 2 takes weights for those of Keras 1, and turns kernels round.
  if (container === 'hdf5' && !metadata.has('keras_version') && !isKeras1(checkpoint))
    metadata.set('keras_version', newVersions[generationTo(context)]);
  report.throwIfErrors();
  const former = formerOf(
    isOwn ? versions['layout'] : undefined,
    isOwn ? store.structure : undefined,
  );
  if (!isOwn && store.structure) reportStructure(store, context.path, context.report);
  if (container === 'hdf5') {
    const isModel = metadata.has('model_config');
    const generation = generationOf(metadata);
    const { layers, optimizer } = legacyTree(store, source, former, generation);
    const names = namesRead([...layers, ...(optimizer ? [optimizer] : [])], [], 'legacy');
    await writeFile(
      sink,
      path,
      encodeHdf5(legacyFile(layers, optimizer, names, metadata, isModel)),
    );
  } else {
    const groups = variablesTree(store, source, target, former);
    const names = namesRead(groups, target);
    if (container === 'archive')
      await writeArchive(sink, path, encodeHdf5(variablesFile(groups, names, new Map())), metadata);
    else await writeWeights(sink, context, groups, names, metadata);
  }
  for (const { name, weight } of store) tellTensor(name, weight, context.tensor);
}

/** A checkpoint of Keras 1 as one of Keras 2; tells what does not cross. */
function upgraded(checkpoint: Checkpoint, container: Container, context: Writing): Checkpoint {
  const { report, path: file } = context;
  if (!isUpgradable(checkpoint)) {
    const isWhole = checkpoint.store.metadata.has('model_config') && container !== 'weights';
    report.add(
      kerasDiagnostics.diagnostic(isWhole ? 'keras-1' : 'keras-1-weights', {
        message: `${checkpoint.file} has weights of Keras 1, and does not tell which layers they are of, or in which order.`,
        origin: { file },
      }),
    );
    return checkpoint;
  }
  const { checkpoint: current, findings, mismatches, left } = upgradeKeras1(checkpoint);
  if (container !== 'weights') {
    reportLayers(findings, context);
    if (checkpoint.store.metadata.has('training_config')) reportNotCompiled(context);
  }
  reportLayers(mismatches, context);
  for (const name of left) reportState(name, 'is left out', context);
  return current;
}

/** Writes weights in one file, or in shards with their index where that is asked for. */
async function writeWeights(
  sink: Sink,
  { path, options }: Writing,
  groups: readonly PlacedGroup[],
  names: readonly (readonly string[])[],
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  const shards = shardsOf(groups, names, options.shardSize);
  if (path.endsWith('.weights.h5') && shards.length === 1)
    return writeFile(sink, path, encodeHdf5(variablesFile(groups, names, metadata)));
  const stem = path.replace(/\.weights\.(h5|json)$/, '');
  const files = new Map<string, string[]>();
  let size = 0;
  for (const [i, shard] of shards.entries()) {
    const file = `${stem}_${`${i}`.padStart(5, '0')}.weights.h5`;
    const texts = i === 0 ? metadata : new Map<string, string>();
    await writeFile(sink, file, encodeHdf5(variablesFile(shard.groups, shard.names, texts)));
    for (const { path: group, weights } of shard.groups) {
      if (weights.length === 0) continue;
      const key = `/${[...group, variablesGroup].join('/')}`;
      files.set(key, [...(files.get(key) ?? []), file.slice(file.lastIndexOf('/') + 1)]);
      for (const { tensor } of weights) size += tensor.weight.handle.length;
    }
  }
  const index = { metadata: { total_size: size }, weight_map: Object.fromEntries(files) };
  const bytes = ByteHandle.of(new TextEncoder().encode(JSON.stringify(index, undefined, 4)));
  return writeFile(sink, `${stem}.weights.json`, bytes);
}

async function writeFile(sink: Sink, path: string, bytes: ByteHandle): Promise<void> {
  const file = await sink.create(path);
  for await (const piece of bytes.chunks()) await file.write(piece);
  await file.close();
}

async function writeArchive(
  sink: Sink,
  path: string,
  weights: ByteHandle,
  metadata: ReadonlyMap<string, string>,
): Promise<void> {
  const file = await sink.create(path);
  const archive = new ZipWriter(file);
  const about = Object.fromEntries([...metadata].filter(([key]) => key !== 'model_config'));
  const text = (content: string) => ByteHandle.of(new TextEncoder().encode(content));
  await archive.add('metadata.json', text(JSON.stringify(about)));
  await archive.add('config.json', text(metadata.get('model_config')!));
  await archive.add('model.weights.h5', weights);
  await archive.finish();
  await file.close();
}

/** The texts to write, and the groups of variables as the source and the target have them. */
function modelOf(store: TensorStore, container: Container, context: Writing) {
  const before = store.metadata;
  const metadata = new Map(before);
  const to = generationTo(context);
  const text = before.get('model_config');
  if (text === undefined) {
    if (container === 'archive')
      context.report.add(
        kerasDiagnostics.diagnostic('no-config', {
          message: `${context.path} is a whole model, and the checkpoint has no configuration of one.`,
          origin: { file: context.path },
        }),
      );
    if (container === 'hdf5' && before.has('keras_version') && generationOf(before) !== to)
      metadata.set('keras_version', newVersions[to]);
    return { metadata, source: [], target: [] };
  }
  const file = 'model_config';
  const given = new JsonCursor(parseJson(text, file), file);
  const from = generationOf(before);
  const translate = to === 3 ? toKeras3 : toKeras2;
  const { config, findings } = translate(given.value, from);
  // Of its own generation, a configuration stays as it is where it has the form already.
  const isKept = from === to && (container !== 'archive' || given.get('module') !== undefined);
  if (container !== 'weights') reportLayers(findings, context);
  if (!isKept) metadata.set('model_config', JSON.stringify(config));
  if (from !== to) {
    metadata.set('keras_version', newVersions[to]);
    // The other generation would compile the model by it, and has other arguments.
    const isCompiled = metadata.delete('training_config') || given.get('compile_config');
    if (isCompiled && container !== 'weights') {
      reportNotCompiled(context);
      for (const { name, role } of store)
        if (role === 'optimizer')
          reportState(name, 'stays in the file, and is not loaded', context);
    }
  }
  return {
    metadata,
    source: groupsOf(given, from),
    target: groupsOf(isKept ? given : new JsonCursor(config, file), to),
  };
}

const generationTo = ({ options }: Writing): Generation => (options.kerasVersion === 2 ? 2 : 3);

/** The versions that a translated configuration is written for. */
const newVersions = { 2: '2.15.0', 3: '3.0.0' } as const;

const reportNotCompiled = ({ report, path: file }: Writing): void =>
  report.add(
    kerasDiagnostics.diagnostic('not-compiled', {
      message: 'How the model was compiled is left out.',
      origin: { file },
    }),
  );

const reportState = (node: string, what: string, { report, path: file }: Writing): void =>
  report.add(
    kerasDiagnostics.diagnostic('optimizer', {
      message: `${node}, a state of the optimizer, ${what}.`,
      origin: { file, node },
    }),
  );

/** The code of what is found of a layer. */
const layerCodes = new Map([
  ['code', 'code'],
  ['custom', 'custom-layer'],
  ['meaning', 'meaning'],
  ['training', 'training'],
] as const);

/** Tells of layers that no reader can restore from the file alone. */
function reportLayers(findings: Translation['findings'], { report, path }: Writing): void {
  for (const { layer, className, kind, why } of findings)
    report.add(
      kerasDiagnostics.diagnostic(layerCodes.get(kind)!, {
        message: `${layer} (${className}) ${why}.`,
        origin: { file: path, node: layer, op: className },
      }),
    );
}

/** Finds every tensor that no file can hold, and names that HDF5 cannot keep. */
function checkWritable(store: TensorStore, { path: file, report, options }: Writing): void {
  for (const { name, weight, aliases } of store) {
    const origin = { file, node: name };
    const isUnread = options.kerasVersion === 2 && weight.dtype === 'bfloat16';
    if (isUnread || datatypeOf(weight.dtype) === undefined)
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${weight.dtype}[${weight.shape.join(', ')}], a type that ${isUnread ? 'Keras 2 does not read from files' : 'HDF5 does not have'}.`,
          help: 'Cast the tensor in the source.',
          origin,
        }),
      );
    if (weight.shape.length > maxRank)
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} has ${weight.shape.length} dimensions, and HDF5 has at most ${maxRank}.`,
          origin,
        }),
      );
    for (const each of [name, ...aliases])
      if (/\0|\p{Surrogate}/u.test(each))
        report.add(
          kerasDiagnostics.diagnostic('text', {
            message: `${JSON.stringify(each)} holds NUL, or is no valid Unicode.`,
            origin,
          }),
        );
  }
}

const maxRank = 32;
