import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { Dim } from '../tensor/dim.js';
import { dtypes, type DType } from '../tensor/dtype.js';
import { parseDim } from '../tensor/parse-dim.js';
import type { ValueType } from '../tensor/value-type.js';
import { opaque, text, type Json } from './attr.js';
import { defineOp, many } from './define-op.js';
import { fixed } from './layout.js';

/** The attribute `types` of a foreign operator, from the types of its results. */
export function foreignTypes(types: readonly ValueType[]): Json {
  return types.map(({ dtype, shape }) => ({
    dtype,
    shape: shape?.map((dim) => (typeof dim === 'number' ? dim : dim.key)) ?? null,
  }));
}

function isType(
  entry: unknown,
): entry is { dtype: DType; shape: readonly (number | string)[] | null } {
  const { dtype, shape } = (entry ?? {}) as { dtype?: unknown; shape?: unknown };
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
 * looked at and written back to that format; no other format writes it. `types` are the types of
 * the results, made by {@link foreignTypes}; null where the format does not tell them, and then the
 * results are taken for float32 of unknown shape, as many as the caller of `Graph.add` says.
 */
export const foreign = defineOp({
  name: 'Foreign',
  summary: 'An operator of `format` that core cannot express, kept as it is.',
  inputs: { inputs: many(...dtypes) },
  outputs: { outputs: many(...dtypes) },
  attrs: { format: text(), type: text(), reason: text(), attributes: opaque(), types: opaque() },
  constraints: {
    C1: {
      says: 'types are element types with shapes, or null',
      holds: (_, { types }) => types === null || (Array.isArray(types) && types.every(isType)),
    },
  },
  infer: (_, { types }, { resultCount = 0 }) => {
    if (types === null)
      return {
        outputs: Array.from({ length: resultCount }, () => ({
          dtype: 'float32',
          shape: undefined,
        })),
      };
    const stated = types as unknown as readonly {
      dtype: DType;
      shape: readonly (number | string)[] | null;
    }[];
    return {
      outputs: stated.map(({ dtype, shape }) => ({
        dtype,
        shape: shape?.map((dim): Dim => (typeof dim === 'number' ? dim : parseDim(dim))),
      })),
    };
  },
  evaluate: (_, { format, type, reason }) => {
    throw coreDiagnostics.error('not-evaluable', {
      message: `${type} of ${format} has no meaning here: ${reason}`,
      origin: { file: '', op: type },
    });
  },
  layout: fixed('what it does is not known'),
  ulp: () => 0,
  examples: [],
});
