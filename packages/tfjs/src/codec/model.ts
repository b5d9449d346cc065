import { Weight, type ByteHandle, type DType } from '@drover/core';
import type { JsonValue } from '@drover/core/format';
import type { GraphDef, SignatureDef } from '@drover/graphdef/codec';

/** Element types that a manifest names. TF.js itself reads the first five. */
export const weightDtypes = [
  'float32',
  'int32',
  'bool',
  'complex64',
  'string',
  'float16',
  'uint8',
  'uint16',
] as const satisfies readonly DType[];

/** Element type of a weight. */
export type WeightDType = (typeof weightDtypes)[number];

/**
 * How a weight is stored in fewer bits: as float16, or as codes q that stand for q * scale + min
 * (rounded to the nearest integer for int32).
 */
export type Quantization =
  | { readonly dtype: 'float16'; readonly extra: ReadonlyMap<string, JsonValue> }
  | {
      readonly dtype: 'uint8' | 'uint16';
      readonly scale: number;
      readonly min: number;
      readonly extra: ReadonlyMap<string, JsonValue>;
    };

/** What a manifest says of a weight. */
export interface WeightSpec {
  readonly name: string;
  readonly dtype: WeightDType;
  readonly shape: readonly number[];
  readonly quantization?: Quantization;
  /** `optimizer` for what inference does not need. */
  readonly group?: string;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** A weight of a file. */
export interface StoredWeight extends WeightSpec {
  /**
   * The stored elements, in the shards of the group: of type `storedDtype`, little-endian in C
   * order; strings with their 32-bit lengths.
   */
  readonly bytes: ByteHandle;
}

/** Weights that share shards: all `paths` joined, then cut one weight after the other. */
export interface WeightGroup {
  readonly paths: readonly string[];
  readonly weights: readonly StoredWeight[];
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** What the model computes: a TensorFlow graph, or Keras layers as the JSON that describes them. */
export type Topology =
  | { readonly kind: 'graph'; readonly graph: GraphDef }
  | { readonly kind: 'layers'; readonly json: JsonValue };

/**
 * A model.json without its weights. Members that the file does not have are undefined; null stays
 * null.
 */
export interface ModelJson {
  readonly topology: Topology;
  /** `graph-model` or `layers-model`; old files do not say. */
  readonly format: string | null | undefined;
  readonly generatedBy: string | null | undefined;
  readonly convertedBy: string | null | undefined;
  readonly signature: SignatureDef | undefined;
  readonly userDefinedMetadata: JsonValue | undefined;
  /** The graph that fills hash tables before the first run. */
  readonly initializer: GraphDef | undefined;
  readonly initializerSignature: SignatureDef | undefined;
  readonly trainingConfig: JsonValue | undefined;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** A model of TF.js. */
export interface TfjsModel extends ModelJson {
  readonly groups: readonly WeightGroup[];
}

/** The type in which a weight's elements are stored. */
export function storedDtype(spec: Pick<WeightSpec, 'dtype' | 'quantization'>): WeightDType {
  return spec.quantization?.dtype ?? spec.dtype;
}

/**
 * A weight as a handle that dequantises as TF.js does: in float64, then rounded to the weight's
 * type.
 */
export function weightOf(weight: StoredWeight): Weight {
  const { quantization, name, shape, bytes } = weight;
  const stored = Weight.stored(storedDtype(weight), shape, name, bytes);
  if (quantization === undefined) return stored;
  return quantization.dtype === 'float16'
    ? stored.cast(weight.dtype)
    : stored.affine(weight.dtype, quantization.scale, quantization.min);
}
