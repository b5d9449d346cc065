import {
  ByteHandle,
  coreDiagnostics,
  type Checkpoint,
  type Sink,
  type TensorStore,
} from '@drover/core';
import { reportStructure, tellTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { prefixOf } from '../codec/bundle-files.js';
import { typeNumberOf } from '../codec/element-type.js';
import { encodeBundle, isWritableName, type WritableTensor } from '../codec/encode-bundle.js';
import type { ObjectGraph } from '../codec/messages.js';
import { decodeObjectGraph, objectGraphKey, variablesOf } from '../codec/object-graph.js';
import { tensorflowDiagnostics } from '../diagnostics.js';

/** The graph of the objects as it was read, and what it says. */
interface Objects {
  readonly bytes: Uint8Array;
  readonly graph: ObjectGraph;
}

/**
 * Writes a checkpoint: `PREFIX.index` and its weight file, or several where `shardSize` asks for
 * them. Names of tensors are the keys; a further name is an entry for the same bytes, unless it is
 * the name of a variable that the objects state anyway. These are written where they came with the
 * source and name no tensor that is gone. The file `checkpoint` of a folder, which names the latest
 * of those in it, is left as it is.
 */
export async function writeCheckpoint(
  { store }: Checkpoint,
  sink: Sink,
  context: Writing,
): Promise<void> {
  const { path, options, report } = context;
  checkWritable(store, context);
  reportStructure(store, path, report);
  const objects = await objectsOf(store, context);
  report.throwIfErrors();
  const variables = variablesOf(objects?.graph ?? {});
  const stated = new Map(variables.map(({ name, fullName }) => [name, fullName]));
  const tensors = [...store].map(({ name, weight, aliases }): WritableTensor => ({
    name,
    dtype: weight.dtype,
    shape: weight.shape,
    bytes: weight.handle,
    aliases: aliases.filter((alias) => alias !== stated.get(name)),
  }));
  if (objects) tensors.push(graphTensor(objects.bytes));
  await encodeBundle(sink, prefixOf(path), tensors, options.shardSize);
  for (const { name, weight } of store) tellTensor(name, weight, context.tensor);
}

/** The tensor that holds the graph of the objects: a scalar of one string. */
function graphTensor(bytes: Uint8Array): WritableTensor {
  const canonical = new Uint8Array(4 + bytes.length);
  new DataView(canonical.buffer).setUint32(0, bytes.length, true);
  canonical.set(bytes, 4);
  return { name: objectGraphKey, dtype: 'string', shape: [], bytes: ByteHandle.of(canonical) };
}

/** The graph of the objects, where it can be written; tells what metadata is left out. */
async function objectsOf(
  store: TensorStore,
  { path: file, report }: Writing,
): Promise<Objects | undefined> {
  const left = [...store.metadata.keys()].filter((key) => key !== objectGraphKey);
  if (left.length > 0)
    report.add(
      tensorflowDiagnostics.diagnostic('metadata-left', {
        message: `Texts beside the tensors are left out: ${left.map((key) => JSON.stringify(key)).join(', ')}.`,
        origin: { file },
      }),
    );
  const text = store.metadata.get(objectGraphKey);
  if (text === undefined) return undefined;
  const bytes = bytesOfBase64(text, file);
  const graph = await decodeObjectGraph(bytes, file);
  const gone = variablesOf(graph).filter(({ name }) => store.get(name)?.name !== name);
  if (gone.length === 0) return { bytes, graph };
  report.add(
    tensorflowDiagnostics.diagnostic('graph-left', {
      message: `The graph of the objects is left out: it names ${gone.length} tensors that are not there, such as ${gone[0]!.name}.`,
      origin: { file },
    }),
  );
  return undefined;
}

function bytesOfBase64(text: string, file: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  } catch {
    throw tensorflowDiagnostics.error('object-graph', {
      message: `The text under ${objectGraphKey} is not base64.`,
      origin: { file, node: objectGraphKey },
    });
  }
}

/** Finds every tensor that no checkpoint can hold. */
function checkWritable(store: TensorStore, { path: file, report }: Writing): void {
  for (const { name, weight, aliases } of store) {
    const { dtype, shape } = weight;
    const origin = { file, node: name };
    if (typeNumberOf(dtype) === undefined)
      report.add(
        coreDiagnostics.diagnostic('not-writable', {
          message: `${name} is ${dtype}[${shape.join(', ')}], a type that TensorFlow does not have.`,
          help: 'Cast the tensor in the source.',
          origin,
        }),
      );
    for (const each of [name, ...aliases])
      if (!isWritableName(each) || each === objectGraphKey)
        report.add(
          coreDiagnostics.diagnostic('not-writable', {
            message: `A checkpoint of TensorFlow cannot have a tensor named ${JSON.stringify(each)}.`,
            help: 'Rename the tensor.',
            origin,
          }),
        );
  }
}
