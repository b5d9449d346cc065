import {
  isFloat,
  TensorStore,
  Weight,
  type Checkpoint,
  type Source,
  type StoredTensor,
  type TensorRole,
} from '@drover/core';
import type { ReadContext } from '@drover/core/format';
import { encodeBytes } from '@drover/graphdef/codec';
import { indexPath } from '../codec/bundle-files.js';
import { isStateHead, latestPrefix } from '../codec/checkpoint-state.js';
import { decodeBundle, type BundleTensor } from '../codec/decode-bundle.js';
import { elementTypeOf, isQuantised } from '../codec/element-type.js';
import { decodeObjectGraph, objectGraphKey } from '../codec/object-graph.js';
import { tensorflowDiagnostics } from '../diagnostics.js';
import { objectNames, roleOf, type ObjectNames } from './names.js';

/** Bytes of a file in which a `checkpoint` shows itself. */
const headBytes = 256;

/** Whether a source is a file that names the latest checkpoint of its folder. */
export async function isState(source: Source): Promise<boolean> {
  const head = await source.read({ offset: 0, length: Math.min(headBytes, source.size) });
  return isStateHead(new TextDecoder().decode(head));
}

/** The index of a source: itself, or the one that it names. */
const indexOf = async (source: Source): Promise<Source> =>
  (await isState(source)) ? source.sibling(indexPath(await latestPrefix(source))) : source;

/**
 * Reads a checkpoint: names and handles. A tensor goes by its key in the index, under which
 * `tf.train.load_checkpoint` has it; the name of its variable is a further one where the objects of
 * the checkpoint say it and no other variable has it. The graph of the objects is metadata, in
 * base64, and comes back when the checkpoint is written. Errors as for {@link decodeBundle}, and
 * `tensorflow/state` and `tensorflow/object-graph`.
 */
export async function readCheckpoint(source: Source, { report }: ReadContext): Promise<Checkpoint> {
  const index = await indexOf(source);
  const { version, tensors } = await decodeBundle(index);
  const metadata = new Map<string, string>();
  let objects: ObjectNames = { fullNames: new Map(), optimizer: new Set() };
  const graph = tensors.find(({ name }) => name === objectGraphKey);
  if (graph) {
    const bytes = await objectGraphBytes(graph, index.name);
    objects = objectNames(await decodeObjectGraph(bytes, index.name));
    metadata.set(objectGraphKey, encodeBytes(bytes));
  }
  const names = new Set(tensors.flatMap(({ name, aliases }) => [name, ...aliases]));
  const stored = tensors.flatMap((tensor): readonly StoredTensor[] => {
    const { name, dataType, shape, bytes, aliases } = tensor;
    if (tensor === graph) return [];
    const origin = { ...bytes.origin, node: name };
    const dtype = elementTypeOf(dataType);
    if (dtype === undefined) {
      report.add(
        tensorflowDiagnostics.diagnostic('left-out', {
          message: `${name} is ${dataType}[${shape.join(', ')}], and left out.`,
          origin,
        }),
      );
      return [];
    }
    if (isQuantised(dataType))
      report.add(
        tensorflowDiagnostics.diagnostic('quantised', {
          message: `${name} is ${dataType}, and read as ${dtype}.`,
          origin,
        }),
      );
    const full = objects.fullNames.get(name);
    const role: TensorRole = roleOf(name, objects, (each) => names.has(each));
    const isTrained = isFloat(dtype) || dtype.startsWith('complex');
    return [
      {
        name,
        weight: Weight.stored(dtype, shape, name, bytes),
        role: role === 'parameter' && !isTrained ? 'buffer' : role,
        aliases: [...aliases, ...(full !== undefined && !names.has(full) ? [full] : [])],
      },
    ];
  });
  return {
    store: new TensorStore(stored, { metadata }),
    format: 'tensorflow',
    versions: { bundle: `${version}` },
    file: source.name,
  };
}

/** The one string of the tensor that holds the graph of the objects. */
async function objectGraphBytes(
  { dataType, shape, bytes }: BundleTensor,
  file: string,
): Promise<Uint8Array> {
  if (dataType === 'DT_STRING' && shape.length === 0) return (await bytes.read()).subarray(4);
  throw tensorflowDiagnostics.error('object-graph', {
    message: `${objectGraphKey} is ${dataType}[${shape.join(', ')}] and no string.`,
    origin: { file, node: objectGraphKey },
  });
}
