import type { Dim } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';
import { shapeIn, spatialOf, windowCounts, type Layout, type Sliding } from './window.js';

/** What a pooling operator states beside its operand. */
export interface Pooling extends Sliding {
  readonly layout: Layout;
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** The type of a pooled tensor. */
export function poolType(x: ValueType, attrs: Pooling, fresh: (hint: string) => Dim): ValueType {
  const shape = x.shape ?? Array.from({ length: attrs.kernel.length + 2 }, () => fresh('pool'));
  const sizes = x.shape
    ? windowCounts(spatialOf(attrs.layout, shape), attrs.kernel, attrs, attrs.ceil)
    : shape.slice(2);
  return {
    dtype: x.dtype,
    shape: shapeIn(
      attrs.layout,
      shape[0]!,
      shape[attrs.layout === 'channelsFirst' ? 1 : shape.length - 1]!,
      sizes,
    ),
  };
}
