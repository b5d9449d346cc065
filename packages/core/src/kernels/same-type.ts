import type { ValueType } from '../ops/define-op.js';
import { sameDim, type Dim } from '../tensor/dim.js';

/** Whether all given operands have one element type. */
export function sameDType(...types: readonly (ValueType | undefined)[]): boolean {
  const [first, ...rest] = types.filter((type) => type !== undefined);
  return rest.every((type) => type.dtype === first!.dtype);
}

/** Whether an operand that is given can have these dimensions, as far as is known. An undefined dimension may be any. */
export function canBe(type: ValueType | undefined, ...shape: readonly (Dim | undefined)[]): boolean {
  if (!type?.shape) return true;
  return type.shape.length === shape.length && type.shape.every((dim, i) => couldEqual(dim, shape[i]));
}

/** Whether two dimensions may be equal, as far as is known: two different numbers may not. */
export function couldEqual(a: Dim | undefined, b: Dim | undefined): boolean {
  return typeof a !== 'number' || typeof b !== 'number' || sameDim(a, b);
}
