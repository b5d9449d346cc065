import {
  bitsOf,
  coreDiagnostics,
  sizeOf,
  type Checkpoint,
  type Sink,
  type StoredTensor,
  type TensorStore,
} from '@drover/core';
import { reportStructure, tellTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { partMetadata } from '../codec/aliases.js';
import { nameOf } from '../codec/dtype.js';
import { encodeFile, textFaults, type WritableTensor } from '../codec/encode-file.js';
import { encodeIndex } from '../codec/index-file.js';
import { safetensorsDiagnostics } from '../diagnostics.js';

const fileEnd = '.safetensors';
const indexEnd = '.safetensors.index.json';

/** A path without what says that it is a file or an index of the format. */
function stemOf(path: string): string {
  const end = [indexEnd, fileEnd].find((each) => path.endsWith(each)) ?? '';
  return path.slice(0, path.length - end.length);
}

/**
 * Writes a checkpoint in one file; in shards with their index where the path is that of an index,
 * or where `shardSize` asks for more than one. A tensor that is larger has a shard of its own.
 * Further names of a tensor stand in the metadata ({@link partMetadata}).
 */
export async function writeCheckpoint(
  { store }: Checkpoint,
  sink: Sink,
  context: Writing,
): Promise<void> {
  const { path, options, report } = context;
  checkWritable(store, context);
  reportStructure(store, path, report);
  const shards = shardsOf(store, options.shardSize);
  const isIndex = path.endsWith(indexEnd);
  if (!isIndex && shards.length === 1) {
    report.throwIfErrors();
    await writeTensors(shards[0]!, store, sink, path);
  } else {
    const stem = stemOf(path);
    report.throwIfErrors();
    await checkAlone(`${stem}${fileEnd}`, sink);
    await writeShards(shards, store, sink, stem);
  }
  for (const { name, weight } of store) tellTensor(name, weight, context.tensor);
}

/** The tensors of each shard, in the order of the store. */
function shardsOf(store: TensorStore, shardSize = Infinity): readonly (readonly StoredTensor[])[] {
  const shards: StoredTensor[][] = [];
  let bytes = Infinity;
  for (const tensor of store) {
    const { length } = tensor.weight.handle;
    if (shards.length === 0 || (bytes > 0 && bytes + length > shardSize)) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += length;
  }
  return shards.length > 0 ? shards : [[]];
}

async function writeShards(
  shards: readonly (readonly StoredTensor[])[],
  store: TensorStore,
  sink: Sink,
  stem: string,
): Promise<void> {
  const base = stem.slice(stem.lastIndexOf('/') + 1);
  const folder = stem.slice(0, stem.length - base.length);
  const shardOf = new Map<string, string>();
  let bytes = 0;
  for (const [i, tensors] of shards.entries()) {
    const [number, count] = [i + 1, shards.length].map((each) => `${each}`.padStart(5, '0'));
    const file = `${base}-${number}-of-${count}${fileEnd}`;
    await writeTensors(tensors, store, sink, folder + file);
    for (const { name, weight } of tensors) {
      shardOf.set(name, file);
      bytes += weight.handle.length;
    }
  }
  const file = await sink.create(`${stem}${indexEnd}`);
  await file.write(new TextEncoder().encode(encodeIndex(shardOf, bytes)));
  await file.close();
}

async function writeTensors(
  tensors: readonly StoredTensor[],
  { metadata }: TensorStore,
  sink: Sink,
  path: string,
): Promise<void> {
  const aliases = tensors.flatMap(({ name, aliases: names }) =>
    names.map((alias) => [alias, name] as const),
  );
  const writable = tensors.map(({ name, weight }): WritableTensor => ({
    name,
    dtype: nameOf(weight.dtype)!,
    shape: weight.shape,
    bytes: weight.handle,
  }));
  const file = await sink.create(path);
  await encodeFile(file, writable, new Map([...metadata, ...aliases]), path);
  await file.close();
}

/** Finds every tensor that no file can hold, and metadata that would be read as another thing. */
function checkWritable(store: TensorStore, { path: file, report }: Writing): void {
  for (const { name, weight, aliases } of store) {
    const { dtype, shape } = weight;
    const origin = { file, node: name };
    const why =
      nameOf(dtype) === undefined
        ? 'a type that safetensors does not have'
        : (sizeOf(shape) * bitsOf(dtype)) % 8 !== 0
          ? 'which does not end with a whole byte'
          : undefined;
    if (why !== undefined)
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${dtype}[${shape.join(', ')}], ${why}.`,
          help: 'Cast the tensor in the source.',
          origin,
        }),
      );
    for (const alias of aliases)
      if (store.metadata.has(alias))
        report.add(
          safetensorsDiagnostics.diagnostic('alias', {
            message: `${JSON.stringify(alias)} is a further name of ${name} and a key of the metadata.`,
            origin,
          }),
        );
  }
  const names = [...store].map(({ name }) => name);
  const aliases = [...store].flatMap(({ aliases: each }) =>
    each.map((alias) => [alias, ''] as const),
  );
  for (const { text, message } of textFaults(names, [...store.metadata, ...aliases]))
    report.add(
      safetensorsDiagnostics.diagnostic('text', { message, origin: { file, node: text } }),
    );
  const read = partMetadata(store.metadata, (name) => store.get(name)?.name === name);
  for (const [name, keys] of read.aliases)
    for (const key of keys.filter((each) => !store.has(each)))
      report.add(
        safetensorsDiagnostics.diagnostic('alias', {
          message: `The metadata says ${JSON.stringify(name)} under ${JSON.stringify(key)}, which would be read as a further name of that tensor.`,
          origin: { file, node: name },
        }),
      );
}

/** Readers look for one file before they look for an index. */
async function checkAlone(path: string, sink: Sink): Promise<void> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if ((await sink.standing?.(path))?.includes(name))
    throw safetensorsDiagnostics.error('other-file', {
      message: `${name} stands beside the index that would be written.`,
      origin: { file: path },
    });
}
