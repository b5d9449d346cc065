import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Dim } from '../tensor/dim.js';
import { dtypes, type DType } from '../tensor/dtype.js';
import { parseDim } from '../tensor/parse-dim.js';
import type { ValueType } from '../tensor/value-type.js';
import { oneOf, opaque, text, type Json } from './attr.js';
import { defineOp, many } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/**
 * The attribute `types` of a foreign operator, from the types of its results; undefined for those
 * of which nobody knows the type.
 */
export function foreignTypes(types: readonly (ValueType | undefined)[]): Json {
  return types.map(
    (type) =>
      (type && {
        dtype: type.dtype,
        shape: type.shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)) ?? null,
      }) ??
      null,
  );
}

interface StatedType {
  readonly dtype: DType;
  readonly shape: readonly (number | string)[] | null;
}

function isType(entry: unknown): entry is StatedType | null {
  if (entry === null) return true;
  const { dtype, shape } = entry as { dtype?: unknown; shape?: unknown };
  const isDim = (dim: unknown) =>
    typeof dim === 'string' || (Number.isSafeInteger(dim) && (dim as number) >= 0);
  return (
    dtypes.some((known) => known === dtype) &&
    (shape === null || (Array.isArray(shape) && shape.every(isDim)))
  );
}

/**
 * An operator of a format that core cannot express. It keeps its place in the graph, its name in
 * the format (`type`), the `reason` and, uninterpreted, its `attributes`, so that the model can be
 * looked at and written back to that format; no other format writes it. `cause` is `operands` where
 * the operator itself is known and only the types of what it is given are not: then another foreign
 * operator before it is to blame. `types` are the types of the results, made by
 * {@link foreignTypes}; null stands for one of which nobody knows the type.
 */
export const foreign = defineOp({
  name: 'Foreign',
  summary: 'An operator of `format` that core cannot express, kept as it is.',
  inputs: { inputs: many(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: {
    format: text(),
    type: text(),
    reason: text(),
    cause: oneOf('operator', 'operands'),
    attributes: opaque(),
    types: opaque(),
  },
  constraints: {
    C1: {
      says: 'types are element types with shapes, or null',
      holds: (_, { types }) => Array.isArray(types) && types.every(isType),
    },
  },
  infer: (_, { types }) => ({
    outputs: (types as unknown as readonly (StatedType | null)[]).map((type) =>
      type
        ? {
            dtype: type.dtype,
            shape: type.shape?.map((dim): Dim => (typeof dim === 'number' ? dim : parseDim(dim))),
          }
        : { dtype: 'float32', shape: undefined, isUntyped: true },
    ),
  }),
  evaluate: (_, { format, type, reason }) => {
    throw coreDiagnostics.error('not-evaluable', {
      message: `${type} of ${format} has no meaning here: ${reason}`,
      origin: { file: '', op: type },
    });
  },
  layout: fixed('what it does is not known'),
  rounding: exact,
  examples: [],
});
