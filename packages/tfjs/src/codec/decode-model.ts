import type { Source } from '@drover/core';
import { readJson, type JsonCursor } from '@drover/core/format';
import { decodeGraphDef, decodeSignature } from '@drover/graphdef/codec';
import { tfjsDiagnostics } from '../diagnostics.js';
import { decodeManifest, extraOf } from './decode-manifest.js';
import type { ModelJson, TfjsModel, Topology } from './model.js';

const keys = new Set([
  'modelTopology',
  'weightsManifest',
  'format',
  'generatedBy',
  'convertedBy',
  'signature',
  'userDefinedMetadata',
  'modelInitializer',
  'initializerSignature',
  'trainingConfig',
]);

/**
 * Reads a model.json and finds its weights in the shards beside it, without reading their elements.
 * Graph and layers models; without `format` the topology decides. Throws `core/json`, `core/limit`,
 * `core/path`, `core/missing-file`, `tfjs/model`, `tfjs/weights` or
 * `core/duplicate`.
 */
export async function readModel(source: Source): Promise<TfjsModel> {
  const json = await readJson(source);
  const model = decodeModelJson(json);
  const manifest = json.get('weightsManifest');
  return { ...model, groups: manifest === undefined ? [] : await decodeManifest(manifest, source) };
}

/**
 * What a model.json says, the weights apart. Throws `core/json`, `core/duplicate` or `tfjs/model`.
 */
export function decodeModelJson(json: JsonCursor): ModelJson {
  const optional = <T>(key: string, decode: (at: JsonCursor) => T): T | undefined => {
    const at = json.get(key);
    return at && decode(at);
  };
  const textOrNull = (key: string): string | null | undefined =>
    optional(key, (at) => at.string()) ?? valueOf(json, key, null);
  return {
    topology: decodeTopology(json),
    format: textOrNull('format'),
    generatedBy: textOrNull('generatedBy'),
    convertedBy: textOrNull('convertedBy'),
    signature: optional('signature', decodeSignature),
    userDefinedMetadata: optional('userDefinedMetadata', (at) => at.value),
    initializer: optional('modelInitializer', decodeGraphDef),
    initializerSignature: optional('initializerSignature', decodeSignature),
    trainingConfig: optional('trainingConfig', (at) => at.value),
    extra: extraOf(json, keys),
  };
}

/** `value` if the member is there with exactly this value. */
function valueOf<T>(json: JsonCursor, key: string, value: T): T | undefined {
  return json.members().some(([name, item]) => name === key && item.value === value)
    ? value
    : undefined;
}

function decodeTopology(json: JsonCursor): Topology {
  const topology = json.get('modelTopology');
  const format = json.get('format')?.string();
  if (topology?.isObject) {
    if (format === 'graph-model' || (format === undefined && topology.get('node') !== undefined))
      return { kind: 'graph', graph: decodeGraphDef(topology) };
    if (
      format === 'layers-model' ||
      (format === undefined &&
        (topology.get('model_config') ?? topology.get('class_name')) !== undefined)
    ) {
      return { kind: 'layers', json: topology.value };
    }
  }
  throw tfjsDiagnostics.error('model', {
    message: `${json.file} ${topology === undefined ? 'has no modelTopology' : 'has a modelTopology that is neither a graph nor layers'}.`,
    origin: { file: json.file, pointer: '/modelTopology' },
  });
}
