import { bounds, subDim, type Dim } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';

/** Whether two dimensions can be the same: false when they are provably different. */
export function mayEqual(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a === b;
  const [low, high] = bounds(subDim(a, b));
  return low <= 0 && high >= 0;
}

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
