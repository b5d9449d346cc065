import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import {
  addDim,
  ceilDivDim,
  floorDivDim,
  isStatic,
  minDim,
  mulDim,
  subDim,
  type Dim,
  type Shape,
} from '../tensor/dim.js';

/** Where the channels of a spatial operand stand: N, C, spatial… or N, spatial…, C. */
export type Layout = 'channelsFirst' | 'channelsLast';

/**
 * How a window operator pads: by its `pads`, or so that the result has ceil(size / stride)
 * elements, the odd one at the end (upper) or the start (lower).
 */
export type Padding = 'explicit' | 'sameUpper' | 'sameLower';

/**
 * How windows slide; each list has an entry per spatial axis, `pads` all begins and then all ends.
 */
export interface Sliding {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

/** The axis of the channels. */
export function channelAxis(layout: Layout, rank: number): number {
  return layout === 'channelsFirst' ? 1 : rank - 1;
}

/** The spatial dimensions of a shape N, C, spatial… or N, spatial…, C. */
export function spatialOf<T>(layout: Layout, shape: readonly T[]): readonly T[] {
  return layout === 'channelsFirst' ? shape.slice(2) : shape.slice(1, -1);
}

/** The shape of batch, channels and spatial dimensions in a layout. */
export function shapeIn<T>(layout: Layout, batch: T, channels: T, spatial: readonly T[]): T[] {
  return layout === 'channelsFirst' ? [batch, channels, ...spatial] : [batch, ...spatial, channels];
}

/** Elements that a window of `kernel` taps, `dilation` apart, reaches over. */
export function extent(kernel: Dim, dilation: number): Dim {
  return addDim(mulDim(subDim(kernel, 1), dilation), 1);
}

/**
 * Padding [begin, end] that makes a window operator give ceil(input / stride) elements. `odd` says
 * where the odd element goes. undefined when it depends on the size of a named dimension: it does
 * not for stride 1.
 */
export function samePadding(
  input: Dim,
  kernel: number,
  stride: number,
  dilation: number,
  odd: 'upper' | 'lower',
): readonly [number, number] | undefined {
  const reach = extent(kernel, dilation) as number;
  if (typeof input !== 'number' && stride !== 1) return undefined;
  const total =
    typeof input === 'number'
      ? Math.max((Math.ceil(input / stride) - 1) * stride + reach - input, 0)
      : reach - 1;
  const [small, large] = [Math.floor(total / 2), Math.ceil(total / 2)];
  return odd === 'upper' ? [small, large] : [large, small];
}

/** Padding [begin, end] of each spatial axis for an input whose sizes are known. */
export function padsFor(
  input: readonly number[],
  kernel: readonly number[],
  { strides, dilations, padding, pads }: Sliding,
): (readonly [number, number])[] {
  return input.map((size, i) =>
    padding === 'explicit'
      ? [pads[i]!, pads[i + input.length]!]
      : samePadding(
          size,
          kernel[i]!,
          strides[i]!,
          dilations[i]!,
          padding === 'sameUpper' ? 'upper' : 'lower',
        )!,
  );
}

/**
 * Number of windows along each spatial axis. `ceil` keeps a last window that reaches over the end
 * of the padded input, unless it starts behind the input and its begin padding (ONNX
 * AveragePool-22, MaxPool-22).
 */
export function windowCounts(
  input: Shape,
  kernel: Shape,
  { strides, dilations, padding, pads }: Sliding,
  ceil = false,
): Shape {
  return input.map((size, i) => {
    const stride = strides[i]!;
    if (padding !== 'explicit') return ceilDivDim(size, stride);
    const begin = addDim(size, pads[i]!);
    const room = subDim(addDim(begin, pads[i + input.length]!), extent(kernel[i]!, dilations[i]!));
    return ceil
      ? minDim(addDim(ceilDivDim(room, stride), 1), ceilDivDim(begin, stride))
      : addDim(floorDivDim(room, stride), 1);
  });
}

/**
 * A shape whose dimensions are known by now. Throws `core/invalid-shape` when one is not or is
 * negative.
 */
export function settled(shape: Shape): readonly number[] {
  if (isStatic(shape) && shape.every((size) => size >= 0)) return shape;
  throw coreDiagnostics.error('invalid-shape', {
    message: `No windows give the sizes [${shape.join(', ')}].`,
    origin: { file: '' },
  });
}
