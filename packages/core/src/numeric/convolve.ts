import { allocate, sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import {
  channelAxis,
  padsFor,
  settled,
  shapeIn,
  spatialOf,
  windowCounts,
  type Layout,
  type Sliding,
} from '../typing/window.js';
import { addProduct, packLines, type Pack } from './add-product.js';
import { addDepthwise, addPlanes } from './convolve-direct.js';
import { fillChannels, stepsIn, tapOffsets, type Steps } from './taps.js';

/** What a convolution states beside its operands. */
export interface Convolution extends Sliding {
  readonly layout: Layout;
  readonly groups: number;
}

/**
 * A convolution in memory. Windows slide along the innermost spatial axis; positions and taps of
 * the other axes are rows.
 */
export interface ConvolutionParts {
  readonly x: Float64Array;
  /** Filters of `depth` channels of `taps` taps each. */
  readonly w: Float64Array;
  readonly y: Float64Array;
  /** How to step through x and y. */
  readonly source: Steps;
  readonly target: Steps;
  readonly batch: number;
  readonly groups: number;
  /** Channels of a group, and taps that it has in each. */
  readonly depth: number;
  readonly taps: number;
  /** Rows of positions, and for each the line of x that each row of taps touches, or -1. */
  readonly rows: number;
  readonly rowTaps: Int32Array;
  /** Along the innermost axis: elements of x, positions, taps and how they slide. */
  readonly size: number;
  readonly positions: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  readonly begin: number;
}

/** Cross-correlation in float64 (see the operator Conv). */
export function convolve(
  x: Tensor,
  w: Tensor,
  bias: Tensor | undefined,
  attrs: Convolution,
): Tensor {
  const { layout, groups } = attrs;
  const [sizes, kernel] = [spatialOf(layout, x.shape), w.shape.slice(2)];
  const positions = settled(windowCounts(sizes, kernel, attrs));
  const [batch, channels, filters] = [
    x.shape[0]!,
    x.shape[channelAxis(layout, x.shape.length)]!,
    w.shape[0]!,
  ];
  const shape = shapeIn(layout, batch, filters, positions);
  const data = allocate(x.dtype, sizeOf(shape)) as Float64Array;
  const [source, target] = [stepsIn(layout, channels, sizes), stepsIn(layout, filters, positions)];
  if (bias) fillChannels(data, toNumbers(bias), target);
  const begins = padsFor(sizes, kernel, attrs).map(([begin]) => begin);
  const axes = slidingAxes(sizes, kernel, positions, begins);
  const along = (list: readonly number[]) => axes.map((axis) => list[axis]!);
  const outer = (list: readonly number[]) => along(list).slice(0, -1);
  const last = axes.at(-1)!;
  const rows = sizeOf(outer(positions));
  const parts: ConvolutionParts = {
    x: toNumbers(x),
    w: toNumbers(w),
    y: data,
    source,
    target,
    batch,
    groups,
    depth: w.shape[1]!,
    taps: sizeOf(kernel),
    rows,
    rowTaps: tapOffsets(
      {
        positions: outer(positions),
        kernel: outer(kernel),
        sizes: outer(sizes),
        strides: outer(attrs.strides),
        dilations: outer(attrs.dilations),
        begins: outer(begins),
      },
      0,
      rows,
      sizes[last]! * source.element,
    ),
    size: sizes[last]!,
    positions: positions[last]!,
    kernel: kernel[last]!,
    stride: attrs.strides[last]!,
    dilation: attrs.dilations[last]!,
    begin: begins[last]!,
  };
  if (layout === 'channelsFirst' && filters / groups < 4) addPlanes(parts, filters / groups);
  else if (layout === 'channelsLast' && parts.depth === 1 && filters === groups)
    addDepthwise(parts, channels);
  else addFilters(parts, filters / groups);
  return { dtype: x.dtype, shape, data };
}

/**
 * The spatial axes without those whose one position sees their one element, or one of them if there
 * are no others.
 */
function slidingAxes(
  sizes: readonly number[],
  kernel: readonly number[],
  positions: readonly number[],
  begins: readonly number[],
): readonly number[] {
  const all = sizes.map((_, axis) => axis);
  const sliding = all.filter(
    (axis) =>
      sizes[axis] !== 1 || kernel[axis] !== 1 || positions[axis] !== 1 || begins[axis] !== 0,
  );
  return sliding.length > 0 ? sliding : all.slice(-1);
}

/** Adds to y the products of the filters of each group and the matrix of the elements they see. */
function addFilters(parts: ConvolutionParts, filters: number): void {
  const { w, y, batch, groups, depth, taps, source, target } = parts;
  for (let n = 0; n < batch; n++) {
    for (let g = 0; g < groups; g++) {
      addProduct(
        packLines(w, g * filters * depth * taps, depth * taps, 1),
        packWindows(parts, n * source.batch + g * depth * source.channel),
        {
          data: y,
          from: n * target.batch + g * filters * target.channel,
          rowStep: target.channel,
          columnStep: target.element,
        },
        filters,
        depth * taps,
        parts.rows * parts.positions,
      );
    }
  }
}

/** Packs the elements that each position sees: for each channel from `from` on, its taps. */
function packWindows(parts: ConvolutionParts, from: number): Pack {
  const { x, taps, rows, rowTaps, size, positions, kernel, stride, dilation, begin } = parts;
  const { channel, element } = parts.source;
  const isEveryElement =
    taps === 1 &&
    stride === 1 &&
    positions === size &&
    begin === 0 &&
    rowTaps.every((line, row) => line === row * size * element);
  if (isEveryElement) return packLines(x, from, element, channel);
  const outer = rowTaps.length / rows;
  return (panel, at, line, lines, first, count) => {
    const row = Math.floor(line / positions);
    const start = (line % positions) * stride - begin;
    // Four neighbours in a row that see elements only.
    const isInside =
      lines === 4 &&
      (line % positions) + 3 < positions &&
      start >= 0 &&
      start + 3 * stride + (kernel - 1) * dilation < size;
    let tap = first % taps;
    let base = from + Math.floor(first / taps) * channel;
    for (let i = 0; i < count;) {
      const rowTap = Math.floor(tap / kernel);
      const k = tap % kernel;
      const here = Math.min(kernel - k, count - i);
      const to = at + 4 * i;
      const touched = rowTaps[row * outer + rowTap]!;
      if (isInside && touched >= 0)
        packInside(
          x,
          base + touched + (start + k * dilation) * element,
          stride * element,
          dilation * element,
          panel,
          to,
          here,
        );
      else
        for (let j = 0; j < 4; j++) {
          const p = line + j;
          const other = j < lines ? rowTaps[Math.floor(p / positions) * outer + rowTap]! : -1;
          packRow(
            x,
            base + other,
            (p % positions) * stride - begin + k * dilation,
            dilation,
            other < 0 ? 0 : size,
            element,
            panel,
            to + j,
            here,
          );
        }
      i += here;
      tap += here;
      if (tap === taps) {
        tap = 0;
        base += channel;
      }
    }
  };
}

/** Packs the taps of four positions that see elements only. */
function packInside(
  x: Float64Array,
  p: number,
  step: number,
  tapStep: number,
  panel: Float64Array,
  to: number,
  count: number,
): void {
  const [two, three] = [2 * step, 3 * step];
  for (const end = to + 4 * count; to < end; to += 4, p += tapStep) {
    panel[to] = x[p]!;
    panel[to + 1] = x[p + step]!;
    panel[to + 2] = x[p + two]!;
    panel[to + 3] = x[p + three]!;
  }
}

/** Packs the taps of one position: zero where they do not lie in the line of `size` elements. */
function packRow(
  x: Float64Array,
  line: number,
  place: number,
  dilation: number,
  size: number,
  element: number,
  panel: Float64Array,
  to: number,
  count: number,
): void {
  for (const end = to + 4 * count; to < end; to += 4, place += dilation)
    panel[to] = place >= 0 && place < size ? x[line + place * element]! : 0;
}
