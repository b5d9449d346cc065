import type { ValueType } from '../tensor/value-type.js';

/** Whether an axis is one of a value's dimensions, as far as its rank is known. */
export function isAxis(axis: number, { shape }: ValueType): boolean {
  return axis >= 0 && (!shape || axis < shape.length);
}

/** Whether axes are different dimensions of a value, as far as its rank is known. */
export function areAxes(axes: readonly number[], type: ValueType): boolean {
  return new Set(axes).size === axes.length && axes.every((axis) => isAxis(axis, type));
}
