import type { ValueType } from '../ops/define-op.js';
import { bounds, subDim, type Dim } from '../tensor/dim.js';

/** Whether an axis is one of a value's dimensions, as far as its rank is known. */
export function isAxis(axis: number, { shape }: ValueType): boolean {
  return axis >= 0 && (!shape || axis < shape.length);
}

/** Whether axes are different dimensions of a value, as far as its rank is known. */
export function areAxes(axes: readonly number[], type: ValueType): boolean {
  return new Set(axes).size === axes.length && axes.every((axis) => isAxis(axis, type));
}

/** Whether two dimensions can be the same: false when they are provably different. */
export function mayEqual(a: Dim, b: Dim): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a === b;
  const [low, high] = bounds(subDim(a, b));
  return low <= 0 && high >= 0;
}
