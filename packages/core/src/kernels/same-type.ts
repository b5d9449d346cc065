import type { ValueType } from '../ops/define-op.js';
import type { Dim } from '../tensor/dim.js';
import { mayEqual } from './axes.js';

/** Whether all given operands have one element type. */
export function sameDType(...types: readonly (ValueType | undefined)[]): boolean {
  const [first, ...rest] = types.filter((type) => type !== undefined);
  return rest.every((type) => type.dtype === first!.dtype);
}

/**
 * Whether an operand that is given can have these dimensions, as far as is known. An undefined
 * dimension may be any.
 */
export function canBe(
  type: ValueType | undefined,
  ...shape: readonly (Dim | undefined)[]
): boolean {
  if (!type?.shape) return true;
  return (
    type.shape.length === shape.length && type.shape.every((dim, i) => couldEqual(dim, shape[i]))
  );
}

/** Whether two dimensions may be equal, as far as they are known. */
export function couldEqual(a: Dim | undefined, b: Dim | undefined): boolean {
  return a === undefined || b === undefined || mayEqual(a, b);
}
