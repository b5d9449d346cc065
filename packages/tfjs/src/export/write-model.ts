import {
  bytesOf,
  intRange,
  isFloat,
  isInt,
  sizeOf,
  type ByteHandle,
  type DType,
  type Model,
  type Report,
  type Sink,
  type Tensor,
  type ValueMapping,
  type Weight,
} from '@drover/core';
import {
  convertElements,
  fitIntegers,
  prepare,
  runPass,
  tellTensor,
  type ByteEncoding,
} from '@drover/core/format';
import type { Writing } from '../about.js';
import { exportGraph, heldBy, keeps, type ExportedGraph } from '@drover/graphdef';
import type { NodeDef } from '@drover/graphdef/codec';
import type { ModelJson } from '../codec/model.js';
import { writeModel as encodeModel, type WritableWeight } from '../codec/write-model.js';
import { tfjsDiagnostics } from '../diagnostics.js';
import { computedType } from '../vocabulary/computed-type.js';
import { ownMetadata } from '../vocabulary/metadata.js';
import { fuse } from './fuse.js';

/**
 * Elements in the type to store. Reading them throws `tfjs/narrowing` for integers beyond 32 bits.
 */
function handleOf(
  { name, weight, dtype }: ExportedGraph['weights'][number],
  file: string,
): ByteHandle {
  if (weight.dtype === dtype) return weight.handle;
  const narrow = (elements: Tensor): Tensor => {
    if (isFloat(dtype)) return { ...elements, dtype };
    const [least, most] = intRange(dtype)!;
    const data = Float64Array.from(elements.data as ArrayLike<number | bigint>, (each) => {
      if (each >= least && each <= most) return Number(each);
      throw tfjsDiagnostics.error('narrowing', {
        message: `${name} holds ${each}, which is no ${dtype}.`,
        origin: { file, node: name },
      });
    });
    return { dtype, shape: elements.shape, data };
  };
  const count = sizeOf(weight.shape);
  const encoding: ByteEncoding = {
    name: `${weight.dtype} as ${dtype}`,
    decode: (stored) => convertElements(stored, weight.dtype, count, narrow),
  };
  return weight.handle.decoded(encoding, bytesOf(dtype, count));
}

const named = ({ name }: NodeDef): string => name;

/** The model in TF.js's terms, weights as handles. Findings go to the context's report. */
async function toGraph(model: Model, context: Writing): Promise<ExportedGraph> {
  const graph = await prepare(
    model,
    { layout: 'channelsLast', keeps, namesModules: true },
    context.options.inputLayout,
  );
  await runPass(fitIntegers, graph, { held: heldBy(computedType), wide: 'int32' });
  const values: ValueMapping[] = [];
  const notes = { report: context.report, value: (each: ValueMapping) => void values.push(each) };
  const exported = exportGraph(graph, { typeOf: computedType, file: model.file }, notes);
  for (const { name, weight, dtype } of exported.weights)
    tellTensor(name, weight.cast(dtype), context.tensor);
  for (const weight of exported.weights) checkInMemory(weight, context.report, model.file);
  const outputs = [...exported.signature.outputs.values()].map(({ name }) =>
    name.replace(/:0$/, ''),
  );
  const fused = fuse(exported.graph, new Set(outputs));
  // What was fused into a later operator is in no tensor any more.
  const left = new Set([fused, ...fused.functions].flatMap(({ nodes }) => nodes.map(named)));
  for (const each of values) if (left.has(each.target.split(':')[0]!)) context.value(each);
  return { ...exported, graph: fused };
}

/** Constants that are in memory are checked before anything is written. */
function checkInMemory(
  { name, weight, dtype }: { name: string; weight: Weight; dtype: DType },
  report: Report,
  file: string,
): void {
  const range = weight.dtype !== dtype && isInt(weight.dtype) ? intRange(dtype) : undefined;
  const elements = range && weight.peek();
  const bad =
    elements &&
    Array.from(elements.data as ArrayLike<number | bigint>).find(
      (each) => each < range[0] || each > range[1],
    );
  if (bad !== undefined)
    report.add(
      tfjsDiagnostics.diagnostic('narrowing', {
        message: `${name} holds ${bad}, which is no ${dtype}.`,
        origin: { file, node: name },
      }),
    );
}

/** Finds what {@link writeModel} would refuse. */
export async function planModel(model: Model, context: Writing): Promise<void> {
  await toGraph(model, context);
}

/** Writes a graph model of TF.js: model.json and its shards. */
export async function writeModel(model: Model, sink: Sink, context: Writing): Promise<void> {
  const { graph, signature, weights } = await toGraph(model, context);
  context.report.throwIfErrors();
  const { quantize, shardSize } = context.options;
  const metadata = [...model.metadata].filter(([key]) => !ownMetadata.has(key));
  const json: ModelJson = {
    topology: { kind: 'graph', graph },
    format: 'graph-model',
    generatedBy: '2.15.1',
    convertedBy: 'drover',
    signature,
    userDefinedMetadata: metadata.length > 0 ? Object.fromEntries(metadata) : undefined,
    initializer: undefined,
    initializerSignature: undefined,
    trainingConfig: undefined,
    extra: new Map(),
  };
  const writable = weights.map((each): WritableWeight => ({
    name: each.name,
    dtype: each.dtype,
    shape: each.weight.shape,
    bytes: handleOf(each, model.file),
  }));
  const storage = { f16: 'float16', u8: 'uint8', u16: 'uint16' } as const;
  await encodeModel(json, [writable], sink, {
    path: context.path,
    ...(shardSize !== undefined && { shardBytes: shardSize }),
    ...(quantize && { quantize: () => storage[quantize] }),
  });
}
