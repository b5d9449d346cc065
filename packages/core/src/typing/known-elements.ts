import { bounds, type Dim } from '../tensor/dim.js';
import { intRange, type DType } from '../tensor/dtype.js';
import type { ValueType } from '../tensor/value-type.js';

/** Integer tensors of at most this many elements are followed as symbolic values. */
export const maxKnownElements = 1024;

/**
 * An element of a result of an integer type or bool as inference may record it. undefined where
 * arithmetic in that type would wrap, which symbolic values do not, or leaves 2^53. Sizes of
 * tensors fit 32 bits wherever a model uses such a type for them.
 */
export function knownElement(element: Dim | undefined, dtype: DType): Dim | undefined {
  if (element === undefined || dtype === 'bool') return element;
  const range = intRange(dtype);
  if (!range || (typeof element === 'number' && !Number.isSafeInteger(element))) return undefined;
  if (typeof element !== 'number' && (dtype === 'int64' || dtype === 'int32')) return element;
  const [low, high] = bounds(element);
  return low >= range[0] && high <= range[1] ? element : undefined;
}

/** Elements of a result of one type from those of an operand, when all are known. */
export function mapElements(
  { elements }: ValueType,
  dtype: DType,
  f: (element: Dim) => Dim | undefined,
): readonly Dim[] | undefined {
  const mapped = elements?.map((element) => knownElement(f(element), dtype));
  return mapped?.every((element) => element !== undefined) ? mapped : undefined;
}
