import type { ValueType } from '../ops/define-op.js';
import { mayEqual } from './axes.js';

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
