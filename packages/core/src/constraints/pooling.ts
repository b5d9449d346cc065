import type { ValueType } from '../tensor/value-type.js';
import type { Pooling } from '../typing/pooling.js';
import { spatialOf } from '../typing/window.js';
import { slides, windowFits } from './sliding.js';

/** The constraints that pooling operators share. */
export const poolConstraints = {
  C1: {
    says: 'there is at least one spatial axis, with a positive kernel, stride and dilation each; pads are not negative, and zero unless explicit',
    holds: (_: { x: ValueType }, attrs: Pooling) =>
      slides(attrs.kernel.length, attrs) && attrs.kernel.every((size) => size > 0),
  },
  C2: {
    says: 'x has two dimensions beside the spatial ones',
    holds: ({ x }: { x: ValueType }, { kernel }: Pooling) =>
      !x.shape || x.shape.length === kernel.length + 2,
  },
  C3: {
    says: 'the kernel fits into the padded input',
    holds: ({ x }: { x: ValueType }, attrs: Pooling) =>
      !x.shape || windowFits(spatialOf(attrs.layout, x.shape), attrs.kernel, attrs, attrs.ceil),
  },
} as const;
