import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { channelAxis, shapeIn, spatialOf, type Layout } from '../typing/window.js';
import { keysWeight } from './resample.js';
import { roundHalfToEven } from './rounding.js';
import { stepsIn } from './taps.js';

/** What a sampling by a grid states beside its operands (see the operator GridSample). */
export interface GridSampling {
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly padding: 'zeros' | 'border' | 'reflection';
  readonly alignCorners: boolean;
  readonly layout: Layout;
}

/**
 * An index folded back at the edges until it lies inside: at the middle of the outer elements with
 * `alignCorners`, else at their outer ends.
 */
function reflect(index: number, size: number, alignCorners: boolean): number {
  const period = alignCorners ? 2 * (size - 1) : 2 * size;
  if (period === 0) return 0;
  const at = ((index % period) + period) % period;
  return at < size ? at : alignCorners ? period - at : period - 1 - at;
}

/**
 * The elements of a line of `size` elements that make the value at a position from -1 to 1, and
 * their weights.
 */
function taps(
  position: number,
  size: number,
  { mode, padding, alignCorners }: GridSampling,
): [index: number, weight: number][] {
  const x = alignCorners ? ((position + 1) / 2) * (size - 1) : ((position + 1) * size - 1) / 2;
  const floor = Math.floor(x);
  const indices =
    mode === 'nearest'
      ? [roundHalfToEven(x)]
      : mode === 'linear'
        ? [floor, floor + 1]
        : [floor - 1, floor, floor + 1, floor + 2];
  const weight = (index: number) =>
    mode === 'nearest'
      ? 1
      : mode === 'linear'
        ? 1 - Math.abs(x - index)
        : keysWeight(x - index, -0.75);
  const weighted = indices.map((index): [number, number] => [index, weight(index)]);
  if (padding === 'zeros') return weighted.filter(([index]) => index >= 0 && index < size);
  return weighted.map(([index, w]) => [
    padding === 'border'
      ? Math.min(Math.max(index, 0), size - 1)
      : reflect(index, size, alignCorners),
    w,
  ]);
}

/** Samples a tensor in float64 at the positions of a grid. */
export function sampleByGrid(x: Tensor, grid: Tensor, attrs: GridSampling): Tensor {
  const { layout } = attrs;
  const [sizes, positions] = [spatialOf(layout, x.shape), grid.shape.slice(1, -1)];
  const [batch, channels, rank] = [
    x.shape[0]!,
    x.shape[channelAxis(layout, x.shape.length)]!,
    sizes.length,
  ];
  const shape = shapeIn(layout, batch, channels, positions);
  const [from, places, data] = [toNumbers(x), toNumbers(grid), new Float64Array(sizeOf(shape))];
  const [source, target] = [stepsIn(layout, channels, sizes), stepsIn(layout, channels, positions)];
  const count = sizeOf(positions);
  for (let at = 0; at < batch * count; at++) {
    const [n, p] = [Math.floor(at / count), at % count];
    // The grid names the last axis first.
    const samples = sizes.reduce<[number, number][]>(
      (outer, size, axis) => {
        const inner = taps(places[at * rank + rank - 1 - axis]!, size, attrs);
        return outer.flatMap(([offset, a]) =>
          inner.map(([index, b]): [number, number] => [offset * size + index, a * b]),
        );
      },
      [[0, 1]],
    );
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (const [offset, weight] of samples)
        sum += weight * from[n * source.batch + c * source.channel + offset * source.element]!;
      data[n * target.batch + c * target.channel + p * target.element] = sum;
    }
  }
  return { dtype: x.dtype, shape, data };
}
