import { AttributeType, type AttributeProto, type GraphProto } from '../schema/onnx.js';

/** Attributes of a node to write, by name; undefined ones are not written. */
export type Attributes = Readonly<Record<string, AttributeProto | undefined>>;

/** An integer attribute. */
export const int = (value: number | boolean): AttributeProto => ({
  type: AttributeType.INT,
  i: Number(value),
});

/** A float attribute. */
export const float = (value: number): AttributeProto => ({ type: AttributeType.FLOAT, f: value });

/** A text attribute. */
export const text = (value: string): AttributeProto => ({
  type: AttributeType.STRING,
  s: new TextEncoder().encode(value),
});

/** A list of integers. */
export const ints = (values: readonly number[]): AttributeProto => ({
  type: AttributeType.INTS,
  ints: values,
});

/** A list of floats. */
export const floats = (values: readonly number[]): AttributeProto => ({
  type: AttributeType.FLOATS,
  floats: values,
});

/** A list of texts. */
export const texts = (values: readonly string[]): AttributeProto => ({
  type: AttributeType.STRINGS,
  strings: values.map((value) => new TextEncoder().encode(value)),
});

/** A graph attribute. */
export const graph = (value: GraphProto): AttributeProto => ({
  type: AttributeType.GRAPH,
  g: value,
});
