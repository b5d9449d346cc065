import type { ValueType } from '../tensor/value-type.js';
import { sameDim, type Dim } from '../tensor/dim.js';
import { freshDim } from './infer.js';

/**
 * A type that holds before a step and after it: dimensions that change are left open, as `open`
 * remembers, and so is a rank that changes.
 */
function widened(before: ValueType, after: ValueType, open: Set<Dim>): ValueType {
  const { dtype, shape } = before;
  if (!shape) return before;
  if (shape.length !== after.shape?.length) return { dtype, shape: undefined };
  const dims = shape.map((dim, i) => {
    if (open.has(dim) || sameDim(dim, after.shape![i]!)) return dim;
    const unknown = freshDim('carried');
    open.add(unknown);
    return unknown;
  });
  return dims.every((dim, i) => dim === shape[i]) ? before : { dtype, shape: dims };
}

/**
 * Builds the body of a loop whose carried values may change shape from step to step, as a growing
 * sequence does: `build` is called with types for the carried parameters, at first those of the
 * initial values, and again with what the body changes left open, until the body keeps what is
 * stated. `after` gives the types of a body's carried results. A value whose element type changes
 * is not settled here: the operator refuses it.
 */
export function settleCarried<B>(
  initial: readonly ValueType[],
  build: (types: readonly ValueType[]) => B,
  after: (body: B) => readonly ValueType[],
): B {
  const open = new Set<Dim>();
  let types: readonly ValueType[] = initial.map(({ dtype, shape }) => ({ dtype, shape }));
  for (;;) {
    const body = build(types);
    const results = after(body);
    const next = types.map((type, i) => (results[i] ? widened(type, results[i], open) : type));
    if (next.every((type, i) => type === types[i])) return body;
    types = next;
  }
}
