import { sizeOf, type Weight } from '@drover/core';
import { epsilonOf, precisionOf } from '@drover/core/format';
import { channelAxes, folded, isFolded, numbersOf, statisticsOf, type Folded } from './folded.js';
import type { Kind } from './layer.js';
import type { Settled } from './settle-layouts.js';

/** How many steps of its type a factor may be off that an exporter computed, squared. */
const maxSteps = 8;

/**
 * Matches between a model and the weights that it was made from, where normalisations are computed
 * into layers with the epsilons that the model shows.
 */
export async function withEpsilons<T, S>(
  matches: readonly Settled<T, S>[],
): Promise<readonly Settled<T, S>[]> {
  return Promise.all(
    matches.map(async (match) => {
      const { source, fit } = match;
      const held = fit.target.parts.get('weight');
      if (!isFolded(source) || !held) return match;
      const { kind, convention } = fit.source;
      const epsilon = await epsilonIn(source, kind, held);
      const again =
        epsilon === undefined ? undefined : folded(source.layer, source.normalization, epsilon);
      const form = again?.forms.find(
        (each) => each.kind === kind && each.convention === convention,
      );
      return again && form ? { ...match, source: again, fit: { ...fit, source: form } } : match;
    }),
  );
}

/**
 * The epsilon with which a normalisation was computed into a layer of these values, from the
 * weights that came of it: the shortest number that explains them. undefined: none does.
 */
async function epsilonIn<P>(
  { layer, normalization }: Folded<P>,
  kind: Kind,
  held: Weight,
): Promise<number | undefined> {
  const axis = channelAxes[kind];
  const weight = layer.forms.find((form) => form.kind === kind)?.parts.get('weight');
  const type = precisionOf(held.dtype);
  if (axis === undefined || !weight || !type) return undefined;
  const [before, after] = await Promise.all([numbersOf(weight), numbersOf(held)]);
  const vectors = statisticsOf(normalization)!.parts;
  const [scale, variance] = await Promise.all(
    (['scale', 'variance'] as const).map(async (role) => {
      const part = vectors.get(role);
      return part && numbersOf(part);
    }),
  );
  const size = weight.shape[axis]!;
  const inner = sizeOf(weight.shape.slice(axis + 1));
  // Least squares, channel by channel: after = factor * before.
  const [products, squares] = [new Float64Array(size), new Float64Array(size)];
  for (const [i, x] of before.entries()) {
    const channel = Math.floor(i / inner) % size;
    products[channel]! += x * after[i]!;
    squares[channel]! += x * x;
  }
  const found = [...products].flatMap((product, i) => {
    const sum = (((scale?.[i] ?? 1) * squares[i]!) / product) ** 2;
    const epsilon = sum - (variance?.[i] ?? 1);
    return sum > 0 && Number.isFinite(sum)
      ? [{ epsilon, error: maxSteps * epsilonOf(type) * sum }]
      : [];
  });
  const most = found.toSorted((a, b) => a.error - b.error)[0];
  for (let digits = 1; most && digits < 16; digits++) {
    const epsilon = Number(most.epsilon.toPrecision(digits));
    if (epsilon >= 0 && found.every((each) => Math.abs(each.epsilon - epsilon) <= each.error))
      return epsilon;
  }
  return undefined;
}
