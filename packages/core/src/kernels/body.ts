import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Graph } from '../graph/graph.js';
import type { Value } from '../graph/value.js';
import type { ValueType } from '../ops/define-op.js';
import { sameDim, symbolsOf, type Dim, type Shape } from '../tensor/dim.js';
import { couldEqual } from './same-type.js';

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

/** Throws `core/invalid-shape`: the body of `op` does not fit. */
export function invalidBody(op: string, message: string): never {
  throw coreDiagnostics.error('invalid-shape', {
    message: `The body of ${op} does not fit: ${message}`,
    origin: { file: '', op },
  });
}

/**
 * Checks that what an operator passes to a body can be what the body's parameter declares. Throws
 * `core/invalid-shape`.
 */
export function checkParameter(op: string, parameter: Value | undefined, passed: ValueType): void {
  if (!parameter) invalidBody(op, 'a parameter is missing.');
  const shapesFit =
    !parameter.shape ||
    !passed.shape ||
    (parameter.shape.length === passed.shape.length &&
      parameter.shape.every((dim, i) => couldEqual(dim, passed.shape![i])));
  if (parameter.dtype !== passed.dtype || !shapesFit) {
    invalidBody(
      op,
      `its parameter ${parameter} is passed ${passed.dtype}[${passed.shape?.map(String).join(', ') ?? '…'}].`,
    );
  }
}

/**
 * The types of a body's results as the graph around it sees them. A dimension that rests on a name
 * which only the body knows (of its `parameters` first inputs, or dependent on data in it) is not
 * known outside. `passed` are the types of what the operator passes.
 */
export function bodyResults(
  body: Graph,
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
