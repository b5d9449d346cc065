import { sizeOf, toNumbers, type Tensor } from '../tensor/tensor.js';
import { pickByAxis } from './copy.js';

/** What a resampling states beside the sizes of its result (see the operator Resize). */
export interface Resampling {
  readonly axes: readonly number[];
  readonly mode: 'nearest' | 'linear' | 'cubic';
  readonly coordinates:
    | 'halfPixel'
    | 'halfPixelSymmetric'
    | 'pytorchHalfPixel'
    | 'alignCorners'
    | 'asymmetric'
    | 'tfHalfPixelNearest';
  readonly nearest: 'roundPreferFloor' | 'roundPreferCeil' | 'floor' | 'ceil';
  readonly cubicCoefficient: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
  readonly scales: readonly number[] | null;
}

/** The elements of one line that make one element of the result, and their weights. */
type Sample = readonly (readonly [index: number, weight: number])[];

/**
 * The position on a line of `n` elements that element i of `m` stands for. Without a stated scale
 * the division comes last, so that whole positions are exact.
 */
function positionOf(
  coordinates: Resampling['coordinates'],
  i: number,
  n: number,
  m: number,
  scale: number | undefined,
): number {
  const unscaled = (at: number) => (scale === undefined ? (at * n) / m : at / scale);
  switch (coordinates) {
    case 'halfPixel':
      return unscaled(i + 0.5) - 0.5;
    case 'halfPixelSymmetric':
      return (n / 2) * (1 - m / (n * (scale ?? m / n))) + unscaled(i + 0.5) - 0.5;
    case 'pytorchHalfPixel':
      return m > 1 ? unscaled(i + 0.5) - 0.5 : 0;
    case 'alignCorners':
      return m > 1 ? (i * (n - 1)) / (m - 1) : 0;
    case 'asymmetric':
      return unscaled(i);
    case 'tfHalfPixelNearest':
      return unscaled(i + 0.5);
  }
}

function nearestTo(position: number, { nearest }: Resampling): number {
  switch (nearest) {
    case 'roundPreferFloor':
      return Math.ceil(position - 0.5);
    case 'roundPreferCeil':
      return Math.floor(position + 0.5);
    case 'floor':
      return Math.floor(position);
    case 'ceil':
      return Math.ceil(position);
  }
}

/**
 * The kernel of cubic convolution with coefficient `a` (Keys, 1981): the weight of an element at a
 * distance.
 */
export function keysWeight(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

/** Samples of a line of `n` elements that make one of `m`. */
function samplesOf(n: number, m: number, scale: number | undefined, attrs: Resampling): Sample[] {
  const inside = (index: number) => Math.min(Math.max(index, 0), n - 1);
  const shrink = attrs.antialias ? Math.min(scale ?? m / n, 1) : 1;
  const reach = (attrs.mode === 'linear' ? 1 : 2) / shrink;
  return Array.from({ length: m }, (_, i) => {
    const position = positionOf(attrs.coordinates, i, n, m, scale);
    if (attrs.mode === 'nearest') return [[inside(nearestTo(position, attrs)), 1]];
    const taps: [number, number][] = [];
    for (let at = Math.floor(position - reach); at <= Math.ceil(position + reach); at++) {
      const distance = (at - position) * shrink;
      const weight =
        attrs.mode === 'linear'
          ? Math.max(0, 1 - Math.abs(distance))
          : keysWeight(distance, attrs.cubicCoefficient);
      if (weight !== 0 && (!attrs.excludeOutside || inside(at) === at))
        taps.push([inside(at), weight]);
    }
    const sum = taps.reduce((total, [, weight]) => total + weight, 0);
    // Nothing is left where excluded taps were all there are: the edge is nearest.
    return taps.length > 0
      ? taps.map(([at, weight]) => [at, weight / sum])
      : [[inside(Math.round(position)), 1]];
  });
}

/**
 * Resamples a tensor. Nearest moves elements as they are, other modes compute in float64, axis
 * after axis.
 */
export function resample(x: Tensor, sizes: readonly number[], attrs: Resampling): Tensor {
  const samples = attrs.axes.map((axis, k) =>
    samplesOf(x.shape[axis]!, sizes[k]!, attrs.scales?.[k], attrs),
  );
  if (attrs.mode === 'nearest') {
    const maps = x.shape.map(
      (size, axis) =>
        samples[attrs.axes.indexOf(axis)]?.map(([first]) => first![0]) ??
        Array.from({ length: size }, (_, i) => i),
    );
    return pickByAxis(x, maps);
  }
  return attrs.axes.reduce((from, axis, k) => resampleAxis(from, axis, samples[k]!), x);
}

function resampleAxis(from: Tensor, axis: number, samples: readonly Sample[]): Tensor {
  const shape = from.shape.map((size, i) => (i === axis ? samples.length : size));
  const inner = sizeOf(shape.slice(axis + 1));
  const [values, data] = [toNumbers(from), new Float64Array(sizeOf(shape))];
  for (let row = 0, at = 0; at < data.length; row++, at += inner) {
    const line = Math.floor(row / samples.length) * from.shape[axis]! * inner;
    for (const [index, weight] of samples[row % samples.length]!) {
      const first = line + index * inner;
      for (let i = 0; i < inner; i++) data[at + i]! += weight * values[first + i]!;
    }
  }
  return { dtype: from.dtype, shape, data };
}
