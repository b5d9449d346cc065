import {
  DroverError,
  TensorStore,
  Weight,
  type Checkpoint,
  type DiagnosticOrigin,
  type Report,
  type Source,
} from '@drover/core';
import { roleOfType, type ReadContext } from '@drover/core/format';
import { partMetadata } from '../codec/aliases.js';
import { decodeFile, type SafetensorsFile, type SafetensorsTensor } from '../codec/decode-file.js';
import { dtypeOf } from '../codec/dtype.js';
import { decodeIndex } from '../codec/index-file.js';
import { safetensorsDiagnostics } from '../diagnostics.js';

/** Reads a checkpoint of one file: its header. */
export async function readFileCheckpoint(
  source: Source,
  { report }: ReadContext,
): Promise<Checkpoint> {
  return checkpointOf(await decodeFile(source), source, report);
}

/**
 * Reads a checkpoint of an index: the headers of its shards, tensors in the order of the shards.
 * Everything that is wrong with them is thrown at once.
 */
export async function readIndexCheckpoint(
  source: Source,
  { report }: ReadContext,
): Promise<Checkpoint> {
  const index = await decodeIndex(source);
  const wrong: DroverError[] = [];
  const tensors = new Map<string, SafetensorsTensor>();
  const shardOf = new Map<string, string>();
  const metadata = new MergedMetadata(report);
  for (const [path, listed] of index.shards) {
    const origin = (node: string): DiagnosticOrigin => ({ file: path, node });
    let shard: SafetensorsFile;
    try {
      shard = await decodeFile(await source.sibling(path));
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      wrong.push(error);
      continue;
    }
    metadata.add(shard.metadata, path);
    const held = new Set(shard.tensors.map(({ name }) => name));
    for (const name of listed)
      if (!held.has(name))
        wrong.push(
          safetensorsDiagnostics.error('shard', {
            message: `${name} is not in ${path}, where ${source.name} has it.`,
            origin: origin(name),
          }),
        );
    const isListed = new Set(listed);
    for (const tensor of shard.tensors) {
      const { name } = tensor;
      const other = shardOf.get(name);
      if (other !== undefined)
        wrong.push(
          safetensorsDiagnostics.error('shard', {
            message: `${name} is in ${other} and in ${path}.`,
            origin: origin(name),
          }),
        );
      else if (!isListed.has(name))
        report.add(
          safetensorsDiagnostics.diagnostic('unlisted', {
            message: `${name} of ${path} is not listed in ${source.name}.`,
            origin: origin(name),
          }),
        );
      shardOf.set(name, path);
      tensors.set(name, tensor);
    }
  }
  if (wrong.length > 0)
    throw new DroverError(
      wrong[0]!.failure,
      wrong.flatMap(({ diagnostics }) => diagnostics),
    );
  metadata.add(index.metadata, source.name);
  const merged = { metadata: metadata.texts, tensors: [...tensors.values()] };
  return checkpointOf(merged, source, report);
}

/** Metadata of several files in one; where two differ the first counts, and it is told. */
class MergedMetadata {
  readonly texts = new Map<string, string>();

  constructor(private readonly report: Report) {}

  add(texts: ReadonlyMap<string, string>, file: string): void {
    for (const [key, text] of texts) {
      const known = this.texts.get(key) ?? text;
      this.texts.set(key, known);
      if (known !== text)
        this.report.add(
          safetensorsDiagnostics.diagnostic('metadata', {
            message: `${file} has another text under ${JSON.stringify(key)} than a shard before it.`,
            origin: { file },
          }),
        );
    }
  }
}

function checkpointOf(
  { metadata: texts, tensors }: SafetensorsFile,
  source: Source,
  report: Report,
): Checkpoint {
  const names = new Set(tensors.map(({ name }) => name));
  const { metadata, aliases } = partMetadata(texts, (name) => names.has(name));
  const stored = tensors.flatMap(({ name, dtype: spelled, shape, bytes }) => {
    const dtype = dtypeOf(spelled);
    if (dtype === undefined) {
      report.add(
        safetensorsDiagnostics.diagnostic('dtype', {
          message: `${name} is ${spelled}, a type that Drover does not have.`,
          origin: { ...bytes.origin, node: name },
        }),
      );
      return [];
    }
    const weight = Weight.stored(dtype, shape, name, bytes);
    return [{ name, weight, role: roleOfType(dtype), aliases: aliases.get(name) ?? [] }];
  });
  report.throwIfErrors();
  const store = new TensorStore(stored, { metadata });
  return { store, format: 'safetensors', versions: {}, file: source.name };
}
