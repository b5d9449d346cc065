import { bool, ints } from '../ops/attr.js';
import type { ValueType } from '../ops/define-op.js';
import type { Dim } from '../tensor/dim.js';
import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { columnsAtOnce, stepsIn, tapOffsets } from './taps.js';
import {
  channelAxis,
  layoutAttr,
  paddingAttr,
  padsFor,
  settled,
  shapeIn,
  slides,
  spatialOf,
  windowCounts,
  windowFits,
  type Layout,
  type Sliding,
} from './window.js';

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

/**
 * Reduces the elements of each window that lie in the input: the first `count` of `taps`. `padded`
 * is how many taps lie in the input or its padding, which leaves out those that `ceil` lets reach
 * behind it.
 */
export function pool(
  x: Tensor,
  attrs: Pooling,
  reduce: (taps: Float64Array, count: number, padded: number) => number,
): Tensor {
  const { layout, kernel } = attrs;
  const sizes = spatialOf(layout, x.shape);
  const positions = settled(windowCounts(sizes, kernel, attrs, attrs.ceil));
  const [batch, channels] = [x.shape[0]!, x.shape[channelAxis(layout, x.shape.length)]!];
  const [count, reach] = [sizeOf(positions), sizeOf(kernel)];
  const shape = shapeIn(layout, batch, channels, positions);
  const [from, data] = [toNumbers(x), new Float64Array(sizeOf(shape))];
  const [source, target] = [stepsIn(layout, channels, sizes), stepsIn(layout, channels, positions)];
  const pads = padsFor(sizes, kernel, attrs);
  const begins = pads.map(([begin]) => begin);
  const whole = { ...attrs, positions, sizes, begins };
  // The same windows over the padded input, whose padding counts as inside.
  const padded = {
    ...whole,
    sizes: sizes.map((size, i) => size + pads[i]![0] + pads[i]![1]),
    begins: begins.map(() => 0),
  };
  const taps = new Float64Array(reach);
  const columns = columnsAtOnce(reach, count);
  for (let first = 0; first < count; first += columns) {
    const width = Math.min(columns, count - first);
    const offsets = tapOffsets(whole, first, width, source.element);
    const inside = tapOffsets(padded, first, width, 1);
    for (let plane = 0; plane < batch * channels; plane++) {
      const [n, c] = [Math.floor(plane / channels), plane % channels];
      const [base, out] = [
        n * source.batch + c * source.channel,
        n * target.batch + c * target.channel,
      ];
      for (let p = 0; p < width; p++) {
        let [real, all] = [0, 0];
        for (let at = p; at < offsets.length; at += width) {
          if (offsets[at]! >= 0) taps[real++] = from[base + offsets[at]!]!;
          if (inside[at]! >= 0) all++;
        }
        data[out + (first + p) * target.element] = reduce(taps, real, all);
      }
    }
  }
  return { dtype: x.dtype, shape, data };
}
