import { isStatic, type Dim, type Shape } from '../tensor/dim.js';
import { sizeOf, type Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { maxKnownElements } from './known-elements.js';

/**
 * Known elements of a result that only moves or repeats those of its operands: `move` is the
 * operator's own evaluation, run on the positions of the elements. undefined when elements or
 * shapes are not known, or are too many.
 */
export function movedElements(
  operands: readonly ValueType[],
  result: Shape | undefined,
  move: (positions: readonly Tensor[]) => Tensor,
): readonly Dim[] | undefined {
  if (!result || !isStatic(result) || sizeOf(result) > maxKnownElements) return undefined;
  const all: Dim[] = [];
  const positions: Tensor[] = [];
  for (const { elements, shape } of operands) {
    if (!elements || !shape || !isStatic(shape)) return undefined;
    positions.push({
      dtype: 'float64',
      shape,
      data: Float64Array.from(elements, (_, i) => all.length + i),
    });
    for (const element of elements) all.push(element);
  }
  return Array.from(move(positions).data as Float64Array, (position) => all[position]!);
}

/** Known elements that are all numbers. */
export function knownNumbers(type: ValueType | undefined): readonly number[] | undefined {
  return type?.elements && isStatic(type.elements) ? type.elements : undefined;
}
