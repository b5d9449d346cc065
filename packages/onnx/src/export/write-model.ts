import type { Model, Node, Sink, Source } from '@drover/core';
import {
  prepare,
  tellTensor,
  writeNodes,
  writtenOutputs,
  type ReadContext,
} from '@drover/core/format';
import type { Writing } from '../about.js';
import { DataLocation, type ModelProto } from '../schema/onnx.js';
import { TensorReader } from '../codec/tensor-content.js';
import { decodeModel } from '../codec/decode.js';
import { encodedSize, encodeModel } from '../codec/encode.js';
import { maxEncodedBytes } from '@drover/protobuf';
import { moveToExternalData } from '../codec/external-data.js';
import { tensorsOf } from '../codec/tensors-of.js';
import { onnxDiagnostics } from '../diagnostics.js';
import { composites, irVersions, writeRules, writtenSince } from '../rules.js';
import { GraphWriter } from '../vocabulary/graph-writer.js';
import { Names, valueNames } from '../vocabulary/names.js';
import { valueInfo } from '../vocabulary/value-info.js';

/** Operator set version that is written when nobody asks for another. */
const defaultOpset = 21;

/** Why an operator cannot be written: the operator set has it only later. */
function tooOld(node: Node, opset: number): string | undefined {
  const since = writtenSince(node);
  return since > opset ? `the operator needs operator set ${since}` : undefined;
}

/** The model in ONNX terms, weights as handles. Findings go to the context's report. */
async function toProto(model: Model, context: Writing): Promise<ModelProto> {
  const opset = context.options.opset ?? defaultOpset;
  const ir = irVersions.get(opset);
  if (ir === undefined) {
    const known = [...irVersions.keys()];
    throw onnxDiagnostics.error('opset', {
      message: `Operator set ${opset} cannot be written; ${known[0]} to ${known.at(-1)} can.`,
      origin: { file: context.path },
    });
  }
  const graph = await prepare(
    model,
    { layout: 'channelsFirst', keeps: (node) => composites(node, opset) },
    context.options.inputLayout,
  );
  const names = new Names(valueNames(graph));
  const writer = new GraphWriter(graph, {
    opset,
    names,
    onConstant: (name, weight) => tellTensor(name, weight, context.tensor),
    writeNodes: (each) => void writeNodes(each, writeRules, context),
    refusal: (node) => tooOld(node, opset),
  });
  const named = ({ name }: { readonly name: string }) => names.value(name);
  const inputs = graph.inputs.map((input) => [named(input), input] as const);
  const written = writtenOutputs(graph).map((each) => ({ ...each, name: named(each) }));
  for (const [name, input] of inputs) writer.bind(input, name);
  for (const { name, value, isAlias } of written) if (!isAlias) writer.bind(value, name);
  writeNodes(writer, writeRules, context);
  writer.begin(undefined);
  for (const { name, value, isAlias } of written)
    if (isAlias) writer.node('Identity', [value], {}, [name]);
  const outputs = written.map(({ name, value }) => valueInfo(name, value));
  return {
    irVersion: ir,
    producerName: 'drover',
    graph: writer.proto(
      graph.name,
      inputs.map(([name, input]) => valueInfo(name, input)),
      outputs,
    ),
    opsetImport: [
      { domain: '', version: opset },
      ...[...writer.domains].map(([domain, version]) => ({ domain, version })),
    ],
    ...(model.metadata.size > 0 && {
      metadataProps: [...model.metadata].map(([key, value]) => ({ key, value })),
    }),
  };
}

/** Finds what {@link writeModel} would refuse. */
export async function planModel(model: Model, context: Writing): Promise<void> {
  await toProto(model, context);
}

/**
 * Writes a model as ONNX; weights go to a second file when they do not fit into one protobuf
 * message.
 */
export async function writeModel(model: Model, sink: Sink, context: Writing): Promise<void> {
  const proto = await toProto(model, context);
  context.report.throwIfErrors();
  await writeProto(proto, sink, context.path);
}

/**
 * Writes a model again as it is: every name, weight bit and metadatum. Tensors that lie in other
 * files are written to one file beside the copy, or into the model when there is none to write
 * beside.
 */
export async function copyModel(
  source: Source,
  sink: Sink,
  { path, params, report }: ReadContext & Writing,
): Promise<void> {
  const proto = await decodeModel(source);
  const reader = new TensorReader(source, { report, ...(params && { params }) });
  let isExternal = false;
  for (const tensor of tensorsOf('ModelProto', proto)) {
    if (tensor.dataLocation !== DataLocation.EXTERNAL) continue;
    const content = await reader.open(tensor);
    if (content.dtype === 'string') continue;
    isExternal = true;
    delete tensor.externalData;
    delete tensor.dataLocation;
    tensor.rawData = content.data;
  }
  await writeProto(proto, sink, path, isExternal);
}

/**
 * Writes a model's file, and the file of its weights when one protobuf message cannot hold them.
 */
async function writeProto(
  proto: ModelProto,
  sink: Sink,
  path: string,
  isExternal = false,
): Promise<void> {
  let written = proto;
  if (isExternal || encodedSize(proto) > maxEncodedBytes) {
    const { model, data } = moveToExternalData(proto, `${path}.data`);
    const weights = await sink.create(data.path);
    await data.write(weights);
    await weights.close();
    written = model;
  }
  const file = await sink.create(path);
  await encodeModel(written, file);
  await file.close();
}
