import {
  ByteHandle,
  encodeTensor,
  MemorySink,
  memorySource,
  type DType,
  type Source,
  type Tensor,
} from '@drover/core';
import {
  AttributeType,
  dataTypeOf,
  encodeModel,
  tensorProto,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from '@drover/onnx/codec';

/**
 * Attributes of a node in plain values: an integer, a float as `{ f }`, a text, lists of integers,
 * a graph.
 */
export type PlainAttributes = Readonly<
  Record<
    string,
    number | string | readonly number[] | { readonly f: number } | { readonly g: GraphProto }
  >
>;

function attribute(name: string, value: PlainAttributes[string]): AttributeProto {
  if (typeof value === 'number') return { name, type: AttributeType.INT, i: value };
  if (typeof value === 'string')
    return { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) };
  if ('f' in value) return { name, type: AttributeType.FLOAT, f: value.f };
  if ('g' in value) return { name, type: AttributeType.GRAPH, g: value.g };
  return { name, type: AttributeType.INTS, ints: value };
}

/**
 * A node: operator (`com.microsoft:Gelu` with its domain), names of operands and results,
 * attributes.
 */
export function node(
  type: string,
  input: readonly string[],
  output: readonly string[],
  attributes: PlainAttributes = {},
): NodeProto {
  const [opType, domain] = type.split(':').toReversed();
  return {
    opType: opType!,
    input,
    output,
    name: `${opType}_${output[0]}`,
    attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
    ...(domain && { domain }),
  };
}

/** A declared value; a name in the shape is a free dimension. */
export function info(
  name: string,
  dtype: DType,
  shape: readonly (number | string)[],
): ValueInfoProto {
  const dim = shape.map((each) =>
    typeof each === 'number' ? { dimValue: each } : { dimParam: each },
  );
  return { name, type: { tensorType: { elemType: dataTypeOf(dtype), shape: { dim } } } };
}

/** A constant of a graph. */
export const initializer = (name: string, value: Tensor) =>
  tensorProto(name, {
    dtype: value.dtype as Exclude<DType, 'string'>,
    shape: value.shape,
    data: ByteHandle.of(encodeTensor(value)),
  });

/** A model of version 17, with onnxruntime's own operators at hand. */
export const modelOf = (graph: GraphProto, opset = 17): ModelProto => ({
  irVersion: 8,
  opsetImport: [
    { domain: '', version: opset },
    { domain: 'com.microsoft', version: 1 },
  ],
  graph: { name: 'main', ...graph },
});

/** The bytes of a model. */
export async function bytesOfModel(model: ModelProto): Promise<Uint8Array> {
  const sink = new MemorySink();
  const file = await sink.create('model.onnx');
  await encodeModel(model, file);
  await file.close();
  await sink.commit();
  return sink.files.get('model.onnx')!;
}

/** A model in memory as a source. */
export async function sourceOfModel(model: ModelProto): Promise<Source> {
  return memorySource('model.onnx', new Map([['model.onnx', await bytesOfModel(model)]]));
}
