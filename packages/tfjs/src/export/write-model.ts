import {
  intRange,
  isInt,
  type DType,
  type Model,
  type Report,
  type Sink,
  type ValueMapping,
  type Weight,
} from '@drover/core';
import { fitIntegers, prepare, runPass, tellTensor } from '@drover/core/format';
import type { Writing } from '../about.js';
import { exportGraph, heldBy, keeps, type ExportedGraph } from '@drover/graphdef';
import type { NodeDef } from '@drover/graphdef/codec';
import type { ModelJson } from '../codec/model.js';
import { writeModel as encodeModel, type WritableWeight } from '../codec/write-model.js';
import { tfjsDiagnostics } from '../diagnostics.js';
import { computedType } from '../vocabulary/computed-type.js';
import { ownMetadata } from '../vocabulary/metadata.js';
import { fuse } from './fuse.js';
import { storageOptions } from './storage-options.js';
import { storedAs } from './stored-as.js';

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
    bytes: storedAs(each, model.file),
  }));
  const { path, options } = context;
  await encodeModel(json, [writable], sink, { path, ...storageOptions(options) });
}
