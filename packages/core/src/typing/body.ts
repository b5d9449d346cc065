import { sameDim, symbolsOf, type Dim, type Shape } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';

/** The types of a body: those of its inputs and of its outputs. */
export interface BodyTypes {
  readonly inputs: readonly ValueType[];
  readonly outputs: readonly { readonly value: ValueType }[];
}

/**
 * A type that both are instances of: what is not the same in both is not known before the model
 * runs.
 */
export function joinTypes(a: ValueType, b: ValueType, fresh: () => Dim): ValueType {
  const ranks = a.shape && b.shape && a.shape.length === b.shape.length;
  const shape = ranks
    ? a.shape!.map((dim, i) => (sameDim(dim, b.shape![i]!) ? dim : fresh()))
    : undefined;
  const agree =
    a.elements &&
    b.elements &&
    a.elements.length === b.elements.length &&
    a.elements.every((dim, i) => sameDim(dim, b.elements![i]!));
  return { dtype: a.dtype, shape, elements: agree ? a.elements : undefined };
}

/**
 * The types of a body's results as the graph around it sees them. A dimension that rests on a name
 * which only the body knows (of its `parameters` first inputs, or dependent on data in it) is not
 * known outside. `passed` are the types of what the operator passes.
 */
export function bodyResults(
  body: BodyTypes,
  parameters: number,
  passed: readonly ValueType[],
  fresh: () => Dim,
): ValueType[] {
  const namesIn = (shapes: readonly (Shape | undefined)[]) =>
    shapes.flatMap((shape) => shape?.flatMap((dim) => [...symbolsOf(dim)]) ?? []);
  const outside = new Set(
    namesIn([
      ...passed.flatMap(({ shape, elements }) => [shape, elements]),
      ...body.inputs.slice(parameters).flatMap(({ shape, elements }) => [shape, elements]),
    ]),
  );
  const inside = new Set(namesIn(body.inputs.slice(0, parameters).map(({ shape }) => shape)));
  const isKnown = (dim: Dim) =>
    [...symbolsOf(dim)].every(
      (name) => outside.has(name) || !(inside.has(name) || name.startsWith('?')),
    );
  return body.outputs.map(({ value }) => ({
    dtype: value.dtype,
    shape: value.shape?.map((dim) => (isKnown(dim) ? dim : fresh())),
    elements: value.elements?.every(isKnown) ? value.elements : undefined,
  }));
}
