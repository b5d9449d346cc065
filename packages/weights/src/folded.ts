import { sizeOf, toNumbers, Weight } from '@drover/core';
import type { Form, Kind, Layer, Parts } from './layer.js';

/** A layer with the batch normalisation behind it computed into it, as exporters do. */
export interface Folded<P> extends Layer<P> {
  readonly layer: Layer<P>;
  readonly normalization: Layer<P>;
  readonly epsilon: number;
}

/** What each kind of layer has its channels in: the axis of its weight. */
export const channelAxes: Partial<Record<Kind, number>> = {
  convolution: 0,
  linear: 1,
  'transposed convolution': 1,
};

/** Epsilon of batch normalisation where nobody says another: PyTorch's, and Keras's. */
const epsilons = { torch: 1e-5, keras: 1e-3 } as const;

/** The form of a batch normalisation: one that has a mean. */
export function statisticsOf<P>({ forms }: Layer<P>): Form<P> | undefined {
  return forms.find(({ kind, parts }) => kind === 'normalization' && parts.has('mean'));
}

/** Whether a layer is one with a normalisation computed into it. */
export const isFolded = <P>(layer: Layer<P>): layer is Folded<P> => 'normalization' in layer;

const words =
  /(batch_?norm(alization)?|bn|conv(olution)?(2d)?|depthwise|linear|dense|fc|[_.\-/]|\d*$)/g;
const plain = (name: string) => name.toLowerCase().replaceAll(words, '');

/** How far two names at one place are those of a layer and of the normalisation behind it. */
function nearness(layer: string, normalization: string): number {
  const [a, b] = [layer, normalization].map((name) => /(\d+)$/.exec(name)?.[1]);
  const isNumber = /^\d+$/.test(layer) && /^\d+$/.test(normalization);
  if (isNumber) return Number(normalization) === Number(layer) + 1 ? 3 : 0;
  return plain(layer) === plain(normalization) ? (a === b ? 2 : 1) : 0;
}

/**
 * The layer that a batch normalisation stands behind: of as many channels, by its name beside it,
 * or the one before it in the file.
 */
export function layerBefore<P>(
  normalization: Layer<P>,
  layers: readonly Layer<P>[],
): Layer<P> | undefined {
  const size = sizeOf(statisticsOf(normalization)!.parts.get('mean')!.shape);
  const path = normalization.names[0]!.path;
  const has = ({ forms }: Layer<P>) =>
    forms.some(({ kind, parts }) => {
      const axis = channelAxes[kind];
      return axis !== undefined && parts.get('weight')?.shape[axis] === size;
    });
  const beside = layers.filter(({ names: [name] }) => {
    const parent = name!.path.slice(0, -1).join('/');
    return name!.path.length > 0 && parent === path.slice(0, -1).join('/');
  });
  const rated = beside
    .filter(has)
    .map((layer) => [nearness(layer.names[0]!.path.at(-1)!, path.at(-1) ?? ''), layer] as const)
    .toSorted(([a], [b]) => b - a);
  if (rated[0] && rated[0][0] > 0 && rated[0][0] !== rated[1]?.[0]) return rated[0][1];
  const before = layers[layers.indexOf(normalization) - 1];
  return before && has(before) ? before : undefined;
}

/**
 * A layer with a normalisation computed into it; undefined where it is none that has channels.
 * Nothing can be taken back out of it.
 */
export function folded<P>(
  layer: Layer<P>,
  normalization: Layer<P>,
  epsilon: number | undefined,
): Folded<P> | undefined {
  const statistics = statisticsOf(normalization)!.parts;
  const isKeras = normalization.tensors.some((name) => name.includes('moving_'));
  const used = epsilon ?? (isKeras ? epsilons.keras : epsilons.torch);
  const [first, ...forms] = layer.forms.flatMap(({ kind, convention, parts }): Form<P>[] => {
    const axis = channelAxes[kind];
    if (axis === undefined) return [];
    const made = foldedParts(parts, statistics, axis, used);
    return [{ kind, convention, parts: made, held: () => undefined }];
  });
  return (
    first && {
      ...layer,
      layer,
      normalization,
      epsilon: used,
      tensors: [...layer.tensors, ...normalization.tensors],
      forms: [first, ...forms],
    }
  );
}

/** The vectors of a batch normalisation. */
const vectorRoles = ['scale', 'bias', 'mean', 'variance'] as const;

/**
 * scale / sqrt(variance + epsilon) times the weight of each channel, and the bias that goes with
 * it. Computed in float64 and rounded once.
 */
function foldedParts(layer: Parts, normalization: Parts, axis: number, epsilon: number): Parts {
  const weight = layer.get('weight')!;
  const own = layer.get('bias');
  const roles = vectorRoles.filter((role) => normalization.has(role));
  const vectors = roles.map((role) => normalization.get(role)!);
  const read = async (given: readonly Weight[]) => {
    const values = await Promise.all(given.map(numbersOf));
    const vector = (role: (typeof vectorRoles)[number], absent: number) => {
      const known = values[roles.indexOf(role)];
      return (i: number) => known?.[i] ?? absent;
    };
    const [scale, variance] = [vector('scale', 1), vector('variance', 1)];
    return {
      factor: (i: number) => scale(i) / Math.sqrt(variance(i) + epsilon),
      mean: vector('mean', 0),
      shift: vector('bias', 0),
    };
  };
  const { dtype, shape } = weight;
  const size = shape[axis]!;
  const inner = sizeOf(shape.slice(axis + 1));
  const scaled = Weight.computedLater(
    weight,
    'BatchNormalization',
    [weight, ...vectors],
    async ([plain, ...given]) => {
      const { factor } = await read(given);
      const data = Float64Array.from(
        await numbersOf(plain!),
        (x, i) => x * factor(Math.floor(i / inner) % size),
      );
      return { dtype, shape, data };
    },
  );
  const type = { dtype, shape: [size] };
  const bias = Weight.computedLater(
    type,
    'BatchNormalization',
    own ? [...vectors, own] : vectors,
    async (given) => {
      const { factor, mean, shift } = await read(given.slice(0, roles.length));
      const [before] = await Promise.all(given.slice(roles.length).map(numbersOf));
      const data = Float64Array.from(
        { length: size },
        (_, i) => ((before?.[i] ?? 0) - mean(i)) * factor(i) + shift(i),
      );
      return { ...type, data };
    },
  );
  return new Map([
    ['weight', scaled],
    ['bias', bias],
  ]);
}

/** The elements of a weight as numbers. */
export const numbersOf = async (weight: Weight) => toNumbers(await weight.tensor());
