import type { Json } from '@drover/core';
import { AttributeType, type AttributeProto, type NodeProto } from '../schema/onnx.js';

/**
 * A node as it was in the source, kept in the attributes of a foreign operator so that it can be
 * written back.
 */
export interface ForeignNode {
  readonly domain: string;
  readonly opType: string;
  /** Version of the node's operator set in the source. */
  readonly opset: number;
  /** Places of the operands that are there. */
  readonly operands: readonly number[];
  readonly operandCount: number;
  /** Attributes without tensors and bodies; null when it has some that cannot be kept so. */
  readonly attributes: readonly AttributeProto[] | null;
}

const toHex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (hex: string) =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );

/** Bytes as text for people where they are text, else in hexadecimal. */
function bytesJson(bytes: Uint8Array): Json {
  const text = new TextDecoder('utf-8').decode(bytes);
  const same = new TextEncoder().encode(text);
  return same.length === bytes.length && same.every((byte, i) => byte === bytes[i])
    ? text
    : { hex: toHex(bytes) };
}

const floatJson = (value: number): Json =>
  Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : Object.is(value, -0)
      ? '-0'
      : String(value);

function attributeJson({
  name = '',
  type = 0,
  f,
  i,
  s,
  floats,
  ints,
  strings,
  t,
  g,
  graphs,
  tensors,
  sparseTensor,
  tp,
}: AttributeProto): Json {
  if (t || g || graphs?.length || tensors?.length || sparseTensor || tp)
    return { name, type, value: null };
  if (type === AttributeType.FLOAT) return { name, type, value: floatJson(f ?? 0) };
  if (type === AttributeType.INT) return { name, type, value: String(i ?? 0) };
  if (type === AttributeType.STRING) return { name, type, value: bytesJson(s ?? new Uint8Array()) };
  if (type === AttributeType.FLOATS)
    return { name, type, value: Array.from(floats ?? [], floatJson) };
  if (type === AttributeType.INTS) return { name, type, value: (ints ?? []).map(String) };
  if (type === AttributeType.STRINGS) return { name, type, value: (strings ?? []).map(bytesJson) };
  return { name, type, value: null };
}

/** The opaque attribute of a foreign operator. */
export function foreignJson(node: NodeProto, opset: number): Json {
  const inputs = node.input ?? [];
  return {
    domain: node.domain === 'ai.onnx' ? '' : (node.domain ?? ''),
    opType: node.opType ?? '',
    opset,
    operands: inputs.flatMap((name, i) => (name === '' ? [] : [i])),
    operandCount: inputs.length,
    attributes: (node.attribute ?? []).map(attributeJson),
  };
}

type Stored = { readonly name: string; readonly type: number; readonly value: Json };

const bytesOfJson = (json: Json): Uint8Array =>
  typeof json === 'string'
    ? new TextEncoder().encode(json)
    : fromHex((json as { hex: string }).hex);

function attributeOf({ name, type, value }: Stored): AttributeProto {
  const list = value as readonly Json[];
  if (type === AttributeType.FLOAT) return { name, type, f: Number(value) };
  if (type === AttributeType.INT) return { name, type, i: BigInt(value as string) };
  if (type === AttributeType.STRING) return { name, type, s: bytesOfJson(value) };
  if (type === AttributeType.FLOATS) return { name, type, floats: list.map(Number) };
  if (type === AttributeType.INTS)
    return { name, type, ints: list.map((each) => BigInt(each as string)) };
  return { name, type, strings: list.map(bytesOfJson) };
}

/** The inverse of {@link foreignJson}. */
export function foreignNode(json: Json): ForeignNode {
  const { attributes, ...node } = json as unknown as Omit<ForeignNode, 'attributes'> & {
    readonly attributes: readonly Stored[];
  };
  return {
    ...node,
    attributes: attributes.some(({ value }) => value === null) ? null : attributes.map(attributeOf),
  };
}
