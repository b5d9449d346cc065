import type { ValueType } from '../tensor/value-type.js';
import { broadcastShapes } from '../typing/broadcast.js';
import { mayEqual } from './same-type.js';

/** Whether shapes broadcast, as far as is known. */
export function broadcasts(...types: readonly ValueType[]): boolean {
  let shape: ValueType['shape'] = [];
  for (const type of types) {
    if (!type.shape) return true;
    shape = broadcastShapes(shape, type.shape);
    if (!shape) return false;
  }
  return true;
}

/** The constraints of a broadcasting operator of two operands of one type. */
export const sameTypeBroadcast = {
  C1: {
    says: 'a and b have one element type',
    holds: ({ a, b }: { a: ValueType; b: ValueType }) => a.dtype === b.dtype,
  },
  C2: {
    says: 'the shapes of a and b broadcast',
    holds: ({ a, b }: { a: ValueType; b: ValueType }) => broadcasts(a, b),
  },
} as const;

/** The constraint of a broadcasting operator whose operands have one type anyway. */
export const broadcast = {
  C1: sameTypeBroadcast.C2,
} as const;

/**
 * Whether an operand that is given can be repeated to the shape of another without changing that,
 * as far as is known.
 */
export function broadcastsTo(operand: ValueType | undefined, { shape: to }: ValueType): boolean {
  const shape = operand?.shape;
  if (!shape || !to) return true;
  return (
    shape.length <= to.length &&
    shape.every((dim, i) => mayEqual(dim, 1) || mayEqual(dim, to[i - shape.length + to.length]!))
  );
}
