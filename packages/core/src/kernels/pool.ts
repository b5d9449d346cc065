import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { bool, ints } from '../ops/attr.js';
import type { ValueType } from '../ops/define-op.js';
import type { Dim } from '../tensor/dim.js';
import type { Tensor } from '../tensor/tensor.js';
import { layoutAttr, paddingAttr, shapeIn, slides, spatialOf, windowCounts, windowFits, type Layout, type Sliding } from './window.js';

/** What a pooling operator states beside its operand. */
export interface Pooling extends Sliding {
  readonly layout: Layout;
  readonly kernel: readonly number[];
  readonly ceil: boolean;
}

/** The attributes that pooling operators share. */
export const poolAttrs = () => ({
  layout: layoutAttr(),
  kernel: ints(),
  strides: ints(),
  dilations: ints(),
  padding: paddingAttr(),
  pads: ints(),
  ceil: bool(),
});

/** The constraints that pooling operators share. */
export const poolConstraints = {
  C1: {
    says: 'there is at least one spatial axis, with a positive kernel, stride and dilation each; pads are not negative, and zero unless explicit',
    holds: (_: { x: ValueType }, attrs: Pooling) => slides(attrs.kernel.length, attrs) && attrs.kernel.every((size) => size > 0),
  },
  C2: {
    says: 'x has two dimensions beside the spatial ones',
    holds: ({ x }: { x: ValueType }, { kernel }: Pooling) => !x.shape || x.shape.length === kernel.length + 2,
  },
  C3: {
    says: 'the kernel fits into the padded input',
    holds: ({ x }: { x: ValueType }, attrs: Pooling) => !x.shape || windowFits(spatialOf(attrs.layout, x.shape), attrs.kernel, attrs, attrs.ceil),
  },
} as const;

/** The type of a pooled tensor. */
export function poolType(x: ValueType, attrs: Pooling, fresh: (hint: string) => Dim): ValueType {
  const shape = x.shape ?? Array.from({ length: attrs.kernel.length + 2 }, () => fresh('pool'));
  const sizes = x.shape ? windowCounts(spatialOf(attrs.layout, shape), attrs.kernel, attrs, attrs.ceil) : shape.slice(2);
  return { dtype: x.dtype, shape: shapeIn(attrs.layout, shape[0]!, shape[attrs.layout === 'channelsFirst' ? 1 : shape.length - 1]!, sizes) };
}

/** Reduces the elements of each window that lie in the input. `padded` is how many taps lie in the input or its padding. */
export function pool(x: Tensor, attrs: Pooling, reduce: (taps: Float64Array, count: number, padded: number) => number): Tensor {
  throw coreDiagnostics.error('not-evaluable', { message: `pool ${[x, attrs, reduce].length}`, origin: { file: '' } });
}
