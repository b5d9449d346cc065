import type { JsonValue } from '@drover/core/format';
import type { DataType } from './data-type.js';

/** A 64-bit integer: a number where JavaScript holds it exactly, else a bigint. */
export type Int64 = number | bigint;

/** Bytes that are UTF-8 text are a string. */
export type ByteString = string | Uint8Array;

/** Dimensions outermost first, -1 where unknown; null when even the rank is unknown. */
export interface TensorShape {
  readonly dims: readonly Int64[] | null;
  /** Names of dimensions, where some has one. */
  readonly dimNames?: readonly string[];
}

/** The typed lists in which a TensorProto may hold its elements. */
// prettier-ignore
export const tensorFields = ['floatVal', 'doubleVal', 'intVal', 'stringVal', 'scomplexVal', 'int64Val', 'boolVal', 'dcomplexVal', 'halfVal', 'uint32Val', 'uint64Val'] as const;

/** Name of a typed list of a TensorProto. */
export type TensorField = (typeof tensorFields)[number];

/**
 * Elements in a typed list. Shorter lists repeat their last element, an absent list means zeros.
 */
export interface TensorValues {
  readonly field: TensorField;
  readonly items: readonly (Int64 | boolean | ByteString)[];
}

/**
 * A constant. TF.js leaves `content` and `values` out: the elements are the weight of the node's
 * name.
 */
export interface TensorProto {
  readonly dtype: DataType;
  readonly shape: TensorShape;
  /** The elements, little-endian in C order. */
  readonly content?: Uint8Array;
  readonly values?: TensorValues;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** A function and the attributes that it is instantiated with. */
export interface NameAttrList {
  readonly name: string;
  readonly attrs: ReadonlyMap<string, AttrValue>;
}

/** A list of one kind; `none` is a list without elements, whose kind the file does not tell. */
export type AttrList =
  | { readonly kind: 'list'; readonly of: 's'; readonly values: readonly ByteString[] }
  | { readonly kind: 'list'; readonly of: 'i'; readonly values: readonly Int64[] }
  | { readonly kind: 'list'; readonly of: 'f'; readonly values: readonly number[] }
  | { readonly kind: 'list'; readonly of: 'b'; readonly values: readonly boolean[] }
  | { readonly kind: 'list'; readonly of: 'type'; readonly values: readonly DataType[] }
  | { readonly kind: 'list'; readonly of: 'shape'; readonly values: readonly TensorShape[] }
  | { readonly kind: 'list'; readonly of: 'tensor'; readonly values: readonly TensorProto[] }
  | { readonly kind: 'list'; readonly of: 'func'; readonly values: readonly NameAttrList[] }
  | { readonly kind: 'list'; readonly of: 'none'; readonly values: readonly [] };

/**
 * Value of an attribute. Floats are exact float32 values; `placeholder` stands for the attribute of
 * the calling node; `none` is an empty message.
 */
export type AttrValue =
  | { readonly kind: 's'; readonly value: ByteString }
  | { readonly kind: 'i'; readonly value: Int64 }
  | { readonly kind: 'f'; readonly value: number }
  | { readonly kind: 'b'; readonly value: boolean }
  | { readonly kind: 'type'; readonly value: DataType }
  | { readonly kind: 'shape'; readonly value: TensorShape }
  | { readonly kind: 'tensor'; readonly value: TensorProto }
  | { readonly kind: 'func'; readonly value: NameAttrList }
  | { readonly kind: 'placeholder'; readonly value: string }
  | AttrList
  | { readonly kind: 'none' };

/**
 * A node. `extra` holds fields that have no meaning here and are written back as they were
 * (`experimentalType`, debug information).
 */
export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /**
   * `name`, `name:k`, in functions `name:arg:k`; `^name` is a control dependency. See `parseInput`.
   */
  readonly inputs: readonly string[];
  readonly device: string;
  readonly attrs: ReadonlyMap<string, AttrValue>;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/**
 * An input or output of a function: one tensor, `numberAttr` tensors, or one for each type of
 * `typeListAttr`.
 */
export interface ArgDef {
  readonly name: string;
  readonly type?: DataType;
  readonly typeAttr?: string;
  readonly numberAttr?: string;
  readonly typeListAttr?: string;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** The signature of a function. */
export interface OpDef {
  readonly name: string;
  readonly inputs: readonly ArgDef[];
  readonly outputs: readonly ArgDef[];
  readonly controlOutputs: readonly string[];
  readonly isStateful: boolean;
  /** Among others `attr`, the attributes that the function declares. */
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** A function of the library. */
export interface FunctionDef {
  readonly signature: OpDef;
  readonly nodes: readonly NodeDef[];
  /** Output argument → the tensor it is, as `node:arg:k` or the name of an input. */
  readonly ret: ReadonlyMap<string, string>;
  readonly controlRet: ReadonlyMap<string, string>;
  readonly attrs: ReadonlyMap<string, AttrValue>;
  /** Attributes of input arguments, by position. */
  readonly argAttrs: ReadonlyMap<number, ReadonlyMap<string, AttrValue>>;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** A gradient: the function that computes it. */
export interface GradientDef {
  readonly functionName: string;
  readonly gradientFunc: string;
}

/** Versions of a graph. */
export interface VersionDef {
  readonly producer: number;
  readonly minConsumer: number;
  readonly badConsumers: readonly number[];
}

/** A graph with its functions. */
export interface GraphDef {
  readonly nodes: readonly NodeDef[];
  readonly functions: readonly FunctionDef[];
  readonly gradients: readonly GradientDef[];
  readonly versions: VersionDef | undefined;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** One input or output of a signature. */
export interface TensorInfo {
  /** `node:k`. Absent where the tensor is composite, which `extra` then holds. */
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: TensorShape | undefined;
  /** TF.js: the number by which the initialiser's table is handed to the graph. */
  readonly resourceId?: number;
  readonly extra: ReadonlyMap<string, JsonValue>;
}

/** Inputs and outputs of a model, in the order of the file. */
export interface SignatureDef {
  readonly inputs: ReadonlyMap<string, TensorInfo>;
  readonly outputs: ReadonlyMap<string, TensorInfo>;
  readonly methodName: string;
  readonly extra: ReadonlyMap<string, JsonValue>;
}
