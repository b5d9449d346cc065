import { Model, type Source, type Weight } from '@drover/core';
import { JsonCursor, tally, type ReadContext } from '@drover/core/format';
import { importGraph } from '@drover/graphdef';
import {
  decodeSignature,
  type GraphDef,
  type NodeDef,
  type SignatureDef,
} from '@drover/graphdef/codec';
import { readModel as decodeModel } from '../codec/decode-model.js';
import { weightOf, type StoredWeight, type TfjsModel } from '../codec/model.js';
import { tfjsDiagnostics } from '../diagnostics.js';
import { ownMetadata } from '../vocabulary/metadata.js';
import { compareConstants } from './contradictions.js';

/**
 * Weights of at most this many stored bytes are held in memory, so that shape arithmetic on them
 * needs no reads.
 */
const maxMemoryBytes = 1024;

async function handleOf(weight: StoredWeight): Promise<Weight> {
  const isSmall = weight.bytes.length <= maxMemoryBytes || weight.dtype === 'string';
  return weightOf(isSmall ? { ...weight, bytes: await weight.bytes.load() } : weight);
}

/**
 * The signature; tensorflowjs 1 wrote it among the metadata of the user, where TF.js still looks
 * first.
 */
function signatureOf(
  { signature, userDefinedMetadata }: TfjsModel,
  file: string,
): SignatureDef | undefined {
  const metadata = new JsonCursor(userDefinedMetadata ?? {}, file);
  const among = metadata.isObject ? metadata.get('signature') : undefined;
  return signature ?? (among?.isObject ? decodeSignature(among) : undefined);
}

/**
 * The operators of the graph and its functions; weights and inputs are nodes too, but not operators
 * that compute.
 */
function operatorsOf({ nodes, functions }: GraphDef): readonly string[] {
  const all = [...nodes, ...functions.flatMap((each) => each.nodes)];
  return all
    .map(({ op }) => op)
    .filter((op) => op !== 'Const' && op !== 'Placeholder' && op !== 'NoOp');
}

/**
 * Reads a graph model of TF.js: the graph, and the one that fills its tables where it has some,
 * with handles to the weights. What has no canonical form stays in the graph as a foreign operator
 * with the reason. Errors: those of the codec, `tfjs/layers`, `tfjs/weights`, `graphdef/graph`,
 * `graphdef/attribute`.
 */
export async function readModel(source: Source, { report }: ReadContext): Promise<Model> {
  const model = await decodeModel(source);
  const file = source.name;
  const { topology } = model;
  if (topology.kind !== 'graph')
    throw tfjsDiagnostics.error('layers', {
      message: `${file} is a layers model.`,
      origin: { file },
    });
  const stored = model.groups.flatMap((group) => group.weights);
  const weights = new Map<string, Weight>();
  for (const weight of stored) weights.set(weight.name, await handleOf(weight));
  const weightOf = ({ name }: NodeDef) => weights.get(name);
  const imported = (name: string, graph: GraphDef, signature: SignatureDef | undefined) => {
    compareConstants(graph, stored, file, report);
    return [name, importGraph({ name, graph, signature, file, weightOf }, report)] as const;
  };
  const { initializer, initializerSignature } = model;
  const graphs = new Map([
    imported('main', topology.graph, signatureOf(model, file)),
    ...(initializer ? [imported('initializer', initializer, initializerSignature)] : []),
  ]);
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const { userDefinedMetadata: metadata } = model;
  const entries =
    typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
      ? Object.entries(metadata).filter(([key]) => !ownMetadata.has(key))
      : [];
  return new Model(graphs, {
    format: 'tfjs',
    versions: {
      ...(topology.graph.versions && { producer: String(topology.graph.versions.producer) }),
      ...(model.generatedBy && { generatedBy: model.generatedBy }),
    },
    producer: [model.convertedBy, model.generatedBy].filter(Boolean).join(', '),
    operators: tally(operatorsOf(topology.graph)),
    file,
    metadata: new Map(entries.map(([key, value]) => [key, text(value)])),
  });
}
