import type { Model, ReadContext, Source, Weight } from '@drover/core';
import { importGraph } from '@drover/graphdef';
import { readModel as decodeModel, weightOf, type StoredWeight } from '../codec/index.js';
import { tfjsDiagnostics } from '../diagnostics.js';

/** Weights of at most this many stored bytes are held in memory, so that shape arithmetic on them needs no reads. */
const maxMemoryBytes = 1024;

async function handleOf(weight: StoredWeight): Promise<Weight> {
  const isSmall = weight.range.length <= maxMemoryBytes || weight.dtype === 'string';
  if (!isSmall) return weightOf(weight);
  return weightOf(weight, await weight.read());
}

/**
 * Reads a graph model of TF.js: the graph, with handles to its weights. What has no canonical form stays in the graph as a foreign operator with the reason.
 * Errors: those of the codec, `tfjs/layers`, `graphdef/graph`, `graphdef/attribute`.
 */
export async function readModel(source: Source, { report }: ReadContext): Promise<Model> {
  const model = await decodeModel(source);
  const file = source.name;
  const { topology } = model;
  if (topology.kind !== 'graph') throw tfjsDiagnostics.error('layers', { message: `${file} is a layers model.`, origin: { file } });
  const weights = new Map<string, Weight>();
  for (const weight of model.groups.flatMap((group) => group.weights)) weights.set(weight.name, await handleOf(weight));
  const graph = importGraph({ graph: topology.graph, signature: model.signature, file, weightOf: ({ name }) => weights.get(name) }, report);
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const { userDefinedMetadata: metadata } = model;
  const entries = typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata) ? Object.entries(metadata).filter(([key]) => key !== 'signature') : [];
  return {
    graph,
    format: 'tfjs',
    versions: { ...(topology.graph.versions && { producer: String(topology.graph.versions.producer) }), ...(model.generatedBy && { generatedBy: model.generatedBy }) },
    producer: [model.convertedBy, model.generatedBy].filter(Boolean).join(', '),
    file,
    metadata: new Map(entries.map(([key, value]) => [key, text(value)])),
  };
}
