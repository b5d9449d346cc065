import { encodeStrings, Graph, Weight, type Model, type ReadContext, type Source } from '@drover/core';
import { decodeModel, readBytes, TensorReader, tensorsOf, type TensorContent, type TensorProto } from '../codec/index.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { declaredType, functionKey, GraphImporter, opsetVersions } from './graph-importer.js';
import { readRules } from '../rules.js';
import { Scope } from './scope.js';

/** Operator set versions that can be read: the newest is the newest whose operators were compared with the rules. */
const [minOpset, maxOpset] = [7, 23];

/** Tensors of at most this many bytes are held in memory, so that shape arithmetic on them needs no reads. */
const maxMemoryBytes = 1024;

async function handleOf(name: string, content: TensorContent): Promise<Weight> {
  if (content.dtype === 'string') return Weight.of('string', content.shape, encodeStrings(content.data), name);
  const { dtype, shape, data } = content;
  if (data.length <= maxMemoryBytes) return Weight.of(dtype, shape, await readBytes(data), name);
  return Weight.stored(dtype, shape, name, () => readBytes(data));
}

/**
 * Reads an ONNX model: the graph, with handles to its weights. What has no canonical form stays in the graph as a foreign operator with the reason. Errors:
 * those of the codec, `onnx/graph`, `onnx/duplicate`, `onnx/opset`, `core/invalid-shape`.
 */
export async function readModel(source: Source, { report, params }: ReadContext): Promise<Model> {
  const proto = await decodeModel(source);
  const file = source.name;
  const graphProto = proto.graph;
  if (!graphProto) throw onnxDiagnostics.error('empty', { message: `${file} holds no graph.`, origin: { file } });
  const opsets = opsetVersions(proto.opsetImport);
  const opset = opsets.get('') ?? 0;
  if (opset < minOpset || opset > maxOpset) {
    throw onnxDiagnostics.error('opset', { message: `${file} uses operator set ${opset}; ${minOpset} to ${maxOpset} can be read.`, origin: { file } });
  }
  const reader = new TensorReader(source, { report, ...(params && { params }) });
  const weights = new Map<TensorProto, Weight>();
  const functions = proto.functions ?? [];
  for (const tensor of tensorsOf('ModelProto', proto)) weights.set(tensor, await handleOf(tensor.name ?? '', await reader.open(tensor)));
  const sparse = (graphProto.sparseInitializer ?? []).flatMap((each) => (each.values ? [{ each, values: each.values }] : []));
  for (const { each, values } of sparse) {
    weights.set(values, await handleOf(values.name ?? '', await reader.openSparse(each)));
  }
  const graph = new Graph(graphProto.name ?? 'main');
  const scope = new Scope(graph, file);
  // Before IR 4 initializers were listed among the inputs too; a caller may leave those out, so they are constants.
  const initialized = new Set([...(graphProto.initializer ?? []), ...sparse.map(({ values }) => values)].map(({ name }) => name ?? ''));
  for (const info of graphProto.input ?? []) {
    const name = info.name ?? '';
    if (initialized.has(name)) continue;
    const type = declaredType(info, file);
    if (!type) throw onnxDiagnostics.error('input-type', { message: `The input ${name} is not a tensor of a declared type.`, origin: { file, node: name } });
    scope.set(name, graph.input(name, type.dtype, type.shape, { name }));
  }
  new GraphImporter({ file, rules: readRules, report, weights, functions: new Map(functions.map((each) => [functionKey(each.domain, each.name, each.overload), each])) }, opsets).fill(graphProto, scope);
  for (const info of graphProto.output ?? []) graph.output(info.name ?? '', scope.value(info.name ?? ''));
  return {
    graph,
    format: 'onnx',
    versions: { ir: String(proto.irVersion ?? 0), ...Object.fromEntries([...opsets].map(([domain, version]) => [domain === '' ? 'opset' : domain, String(version)])) },
    producer: [proto.producerName, proto.producerVersion].filter(Boolean).join(' '),
    file,
    metadata: new Map((proto.metadataProps ?? []).map(({ key = '', value = '' }) => [key, value])),
  };
}
