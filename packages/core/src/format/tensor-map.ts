import { sourcesOf, type TensorTransform } from '../tensor/tensor-transform.js';
import type { Weight } from '../tensor/weight.js';

/**
 * One line of the tensor map: a tensor of the target holds a stored tensor of the source, and how.
 * A tensor that is joined, or computed from several, has a line for each.
 */
export interface TensorMapping {
  readonly source: string;
  readonly target: string;
  readonly transform: TensorTransform;
}

/** Tells the tensor map of one tensor that is written. */
export function tellTensor(
  target: string,
  weight: Weight,
  tell: (mapping: TensorMapping) => void,
): void {
  for (const { name, transform } of sourcesOf(weight)) tell({ source: name, target, transform });
}
