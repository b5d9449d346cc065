import type { JsonValue } from '@drover/core/format';
import { encodeGraphDef, encodeSignature } from '@drover/graphdef/codec';
import type { ModelJson, WeightGroup, WeightSpec } from './model.js';

/** The paths and weights of a group, without their bytes. */
export type GroupSpec = Pick<WeightGroup, 'paths' | 'extra'> & {
  readonly weights: readonly WeightSpec[];
};

/** An object with the members that are not undefined, then the kept ones. */
function objectOf(
  members: Readonly<Record<string, JsonValue | undefined>>,
  extra: ReadonlyMap<string, JsonValue>,
): JsonValue {
  return Object.fromEntries([
    ...Object.entries(members).filter(
      (member): member is [string, JsonValue] => member[1] !== undefined,
    ),
    ...extra,
  ]);
}

/** A model.json as JSON, its members in the order in which tensorflowjs writes them. */
export function encodeModelJson(model: ModelJson, groups: readonly GroupSpec[]): JsonValue {
  const {
    topology,
    format,
    generatedBy,
    convertedBy,
    signature,
    userDefinedMetadata,
    initializer,
    initializerSignature,
    trainingConfig,
    extra,
  } = model;
  return objectOf(
    {
      format,
      generatedBy,
      convertedBy,
      signature: signature && encodeSignature(signature),
      modelTopology: topology.kind === 'graph' ? encodeGraphDef(topology.graph) : topology.json,
      userDefinedMetadata,
      modelInitializer: initializer && encodeGraphDef(initializer),
      initializerSignature: initializerSignature && encodeSignature(initializerSignature),
      trainingConfig,
      weightsManifest: encodeManifest(groups),
    },
    extra,
  );
}

/** A manifest as JSON: what `tf.io.loadWeights` takes. */
export const encodeManifest = (groups: readonly GroupSpec[]): JsonValue[] =>
  groups.map(encodeGroup);

function encodeGroup({ paths, weights, extra }: GroupSpec): JsonValue {
  return objectOf({ paths, weights: weights.map(encodeSpec) }, extra);
}

function encodeSpec({ name, dtype, shape, quantization, group, extra }: WeightSpec): JsonValue {
  const affine =
    quantization === undefined || quantization.dtype === 'float16'
      ? {}
      : { min: quantization.min, scale: quantization.scale };
  return objectOf(
    {
      name,
      shape,
      dtype,
      quantization:
        quantization && objectOf({ dtype: quantization.dtype, ...affine }, quantization.extra),
      group,
    },
    extra,
  );
}
