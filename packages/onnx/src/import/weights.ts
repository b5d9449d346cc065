import { Weight } from '@drover/core';
import { encodeStrings } from '@drover/core/format';
import type {
  GraphProto,
  ModelProto,
  NodeProto,
  SparseTensorProto,
  TensorProto,
} from '../schema/onnx.js';
import type { TensorContent, TensorReader } from '../codec/tensor-content.js';

/**
 * Tensors of at most this many bytes are held in memory, so that shape arithmetic on them needs no
 * reads.
 */
const maxMemoryBytes = 1024;

/**
 * A tensor of a model and the name that tells it best: its own, or that of the value it becomes.
 */
type Found = readonly [name: string, tensor: TensorProto | SparseTensorProto];

function* inNodes(nodes: readonly NodeProto[] = []): Generator<Found> {
  for (const { attribute, output, name } of nodes) {
    for (const { t, sparseTensor, g, graphs } of attribute ?? []) {
      if (t) yield [t.name || output?.[0] || name || '', t];
      if (sparseTensor) yield [output?.[0] || name || '', sparseTensor];
      for (const body of g ? [g] : (graphs ?? [])) yield* inGraph(body);
    }
  }
}

function* inGraph({ initializer, sparseInitializer, node }: GraphProto): Generator<Found> {
  for (const tensor of initializer ?? []) yield [tensor.name ?? '', tensor];
  for (const sparse of sparseInitializer ?? []) yield [sparse.values?.name ?? '', sparse];
  yield* inNodes(node);
}

const isSparse = (tensor: TensorProto | SparseTensorProto): tensor is SparseTensorProto =>
  'values' in tensor || 'indices' in tensor;

async function handleOf(name: string, content: TensorContent): Promise<Weight> {
  if (content.dtype === 'string')
    return Weight.of('string', content.shape, encodeStrings(content.data), name);
  const { dtype, shape, data } = content;
  const bytes = data.length <= maxMemoryBytes ? await data.load() : data;
  return Weight.stored(dtype, shape, name, bytes);
}

/**
 * Handles of the tensors that nodes of a model can use, sparse ones made dense: of its graph, its
 * bodies and its functions. Errors: those of the reader.
 */
export async function openWeights(
  model: ModelProto,
  reader: TensorReader,
): Promise<ReadonlyMap<TensorProto | SparseTensorProto, Weight>> {
  const weights = new Map<TensorProto | SparseTensorProto, Weight>();
  const open = async ([name, tensor]: Found) =>
    void weights.set(
      tensor,
      await handleOf(
        name,
        await (isSparse(tensor) ? reader.openSparse(tensor) : reader.open(tensor)),
      ),
    );
  for (const found of inGraph(model.graph ?? {})) await open(found);
  for (const { node } of model.functions ?? [])
    for (const found of inNodes(node)) await open(found);
  return weights;
}
