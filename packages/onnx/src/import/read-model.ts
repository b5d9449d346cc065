import { coreDiagnostics, Graph, Model, type Source } from '@drover/core';
import { storeOf, tally, valueOf, type ReadContext } from '@drover/core/format';
import { TensorReader } from '../codec/tensor-content.js';
import { Version, type GraphProto } from '../schema/onnx.js';
import { decodeModel } from '../codec/decode.js';
import { defaultLimits, limitError } from '../codec/limits.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { readRules } from '../rules.js';
import { checkModel } from './contradictions.js';
import { expandedCount, functionKey } from './function-body.js';
import { GraphImporter } from './graph-importer.js';
import { declaredType } from './declared-type.js';
import { checkOpset, opsetVersions } from './opsets.js';
import { Scope } from '../vocabulary/scope.js';
import { openWeights } from './weights.js';

/**
 * The operators of nodes and of the bodies in them, a domain other than the default before the
 * name.
 */
function* operatorsOf(graphs: readonly Pick<GraphProto, 'node'>[]): Iterable<string> {
  for (const node of graphs.flatMap((graph) => graph.node ?? [])) {
    yield [node.domain === 'ai.onnx' ? '' : node.domain, node.opType].filter(Boolean).join('.');
    for (const { g, graphs: bodies = [] } of node.attribute ?? [])
      yield* operatorsOf(g ? [g, ...bodies] : bodies);
  }
}

/**
 * Reads an ONNX model: the graph, with handles to its weights. What has no canonical form stays in
 * the graph as a foreign operator with the reason. Errors: those of the codec, `onnx/graph`,
 * `core/duplicate`, `onnx/opset`, `core/signature-type`, `core/invalid-graph`,
 * `core/invalid-shape`.
 */
export async function readModel(source: Source, { report, params }: ReadContext): Promise<Model> {
  const proto = await decodeModel(source);
  const file = source.name;
  const { graph: graphProto, irVersion = 0 } = proto;
  if (!graphProto)
    throw onnxDiagnostics.error('empty', { message: `${file} holds no graph.`, origin: { file } });
  if (irVersion > Version.IR_VERSION) {
    throw onnxDiagnostics.error('opset', {
      message: `${file} is of IR version ${irVersion}; versions up to ${Version.IR_VERSION} can be read.`,
      origin: { file },
    });
  }
  checkModel(proto, file, report);
  if (proto.trainingInfo?.length)
    report.add(
      onnxDiagnostics.diagnostic('training', {
        message: `${file} says how it is trained, in ${proto.trainingInfo.length} parts, which are not read.`,
        origin: { file },
      }),
    );
  const opsets = opsetVersions(proto.opsetImport);
  checkOpset(opsets, file, file);
  const weights = await openWeights(
    proto,
    new TensorReader(source, { report, ...(params && { params }) }),
  );
  const functions = new Map(
    (proto.functions ?? []).map((each) => [
      functionKey(each.domain, each.name, each.overload),
      each,
    ]),
  );
  if (
    functions.size > 0 &&
    expandedCount(graphProto.node ?? [], functions) > defaultLimits.maxNodes
  ) {
    throw limitError(
      'maxNodes',
      defaultLimits,
      'The number of nodes, functions written out,',
      file,
    );
  }
  const graph = new Graph(graphProto.name ?? 'main');
  const scope = new Scope(graph, file);
  // Before IR 4 initializers were listed among the inputs too; a caller may leave those out, so
  // they are constants.
  const initializers = [
    ...(graphProto.initializer ?? []).map((tensor) => [tensor.name, tensor] as const),
    ...(graphProto.sparseInitializer ?? []).map((each) => [each.values?.name, each] as const),
  ].map(([name = '', tensor]) => ({ name, weight: weights.get(tensor)! }));
  const initialized = new Set(initializers.map(({ name }) => name));
  for (const info of graphProto.input ?? []) {
    const name = info.name ?? '';
    if (initialized.has(name)) continue;
    const type = declaredType(info, file);
    if (!type)
      throw coreDiagnostics.error('signature-type', {
        message: `The input ${name} is not a tensor of a declared type.`,
        origin: { file, node: name },
      });
    scope.set(name, graph.input(name, type.dtype, type.shape, valueOf(file, name)));
  }
  new GraphImporter({ file, rules: readRules, report, weights, functions }, opsets).fill(
    graphProto,
    scope,
  );
  const outputs = new Set<string>();
  for (const { name = '' } of graphProto.output ?? []) {
    if (outputs.has(name))
      throw coreDiagnostics.error('duplicate', {
        message: `Two outputs are named ${JSON.stringify(name)}.`,
        origin: { file, node: name },
      });
    outputs.add(name);
    graph.output(name, scope.output(name));
  }
  return new Model(graph, {
    format: 'onnx',
    versions: {
      ir: String(irVersion),
      ...Object.fromEntries(
        [...opsets].map(([domain, version]) => [domain === '' ? 'opset' : domain, String(version)]),
      ),
    },
    producer: [proto.producerName, proto.producerVersion].filter(Boolean).join(' '),
    operators: tally(operatorsOf([graphProto, ...(proto.functions ?? [])])),
    file,
    store: () => storeOf([graph], initializers),
    metadata: new Map((proto.metadataProps ?? []).map(({ key = '', value = '' }) => [key, value])),
  });
}
