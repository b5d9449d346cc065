import type { JsonCursor } from '@drover/core/format';

/** A variable of a layer: its name, and whether training moves it where the layer is trained. */
export interface LayerVariable {
  readonly name: string;
  readonly isTrained: boolean;
}

/** An object within a layer that has variables of its own. */
export interface LayerPart {
  /** The attributes that lead to it from its layer, as the file's path has them: `layers/dense`. */
  readonly key: readonly string[];
  readonly className: string;
  readonly name: string;
  readonly config: JsonCursor;
}

/** What a layer is made of, in the order in which Keras makes it. */
export interface LayerAnatomy {
  readonly variables: readonly LayerVariable[];
  readonly parts: readonly LayerPart[];
}

/** The version of Keras whose attributes and names are meant. */
export type Generation = 2 | 3;

type Anatomy = (config: JsonCursor, generation: Generation) => LayerAnatomy;

const isSet = (config: JsonCursor, key: string): boolean => config.get(key)?.value !== false;
const trained = (...names: readonly string[]): readonly LayerVariable[] =>
  names.map((name) => ({ name, isTrained: true }));
const kept = (...names: readonly string[]): readonly LayerVariable[] =>
  names.map((name) => ({ name, isTrained: false }));

const only =
  (
    variablesOf: (config: JsonCursor, generation: Generation) => readonly LayerVariable[],
  ): Anatomy =>
  (config, generation) => ({ variables: variablesOf(config, generation), parts: [] });

const withBias = (...kernels: readonly string[]) =>
  only((config) => trained(...kernels, ...(isSet(config, 'use_bias') ? ['bias'] : [])));

const scaleAndCentre = (config: JsonCursor): readonly string[] => [
  ...(isSet(config, 'scale') ? ['gamma'] : []),
  ...(isSet(config, 'center') ? ['beta'] : []),
];

const cellOf =
  (className: string): Anatomy =>
  (config) => ({
    variables: [],
    parts: [{ key: ['cell'], className, name: snakeCase(className), config }],
  });

const depthwise = only((config, generation) =>
  trained(
    generation === 2 ? 'depthwise_kernel' : 'kernel',
    ...(isSet(config, 'use_bias') ? ['bias'] : []),
  ),
);

/** The layer that a place of a configuration describes. */
export function partAt(key: readonly string[], layer: JsonCursor, name?: string): LayerPart {
  const config = layer.require('config');
  const className = layer.require('class_name').string();
  const own = config.isObject ? config.get('name')?.value : undefined;
  const named = name ?? (typeof own === 'string' ? own : layer.get('name')?.value);
  const last = key.at(-1) ?? '';
  return { key, className, name: typeof named === 'string' ? named : last, config };
}

/** Layers in a list, which Keras names after their classes, numbered. */
function listed(key: string, layers: readonly JsonCursor[]): readonly LayerPart[] {
  const used = new Map<string, number>();
  return layers.map((layer) => {
    const base = snakeCase(layer.require('class_name').string());
    const count = used.get(base) ?? 0;
    used.set(base, count + 1);
    return partAt([key, count === 0 ? base : `${base}_${count}`], layer);
  });
}

/** The layers of a model, as its configuration lists them. */
function layersOf(config: JsonCursor): readonly JsonCursor[] {
  // Keras 1, and Keras 2 before 2.2.3, have the list itself for Sequential.
  if (config.isArray) return config.items();
  return config.get('layers')?.items() ?? [];
}

const model: Anatomy = (config) => ({
  variables: [],
  parts: listed('layers', layersOf(config)),
});

const wrapper =
  (...variables: readonly LayerVariable[]): Anatomy =>
  (config) => ({ variables, parts: [partAt(['layer'], config.require('layer'))] });

const bidirectional: Anatomy = (config, generation) => {
  const forward = config.require('layer');
  const backward = config.get('backward_layer') ?? forward;
  const named = (key: 'forward' | 'backward', layer: JsonCursor) => {
    const part = partAt([`${key}_layer`], layer);
    const isNamed = generation === 3 && part.name.startsWith(`${key}_`);
    return isNamed ? part : { ...part, name: `${key}_${part.name.replace(/^forward_/, '')}` };
  };
  return { variables: [], parts: [named('forward', forward), named('backward', backward)] };
};

const attention: Anatomy = (config, generation) => ({
  variables: [],
  parts: (
    [
      ['query', 'query'],
      ['key', 'key'],
      ['value', 'value'],
      ['output', 'attention_output'],
    ] as const
  ).map(([key, name]) => ({
    key: [generation === 2 ? `_${key}_dense` : `${key}_dense`],
    className: 'Dense',
    name,
    config,
  })),
});

const convolutions = ['1D', '2D', '3D'].flatMap((rank) => [`Conv${rank}`, `Conv${rank}Transpose`]);

const anatomies: ReadonlyMap<string, Anatomy> = new Map<string, Anatomy>([
  ...['Functional', 'Model', 'Sequential'].map((name) => [name, model] as const),
  ...['Dense', 'LocallyConnected1D', 'LocallyConnected2D', ...convolutions].map(
    (name) => [name, withBias('kernel')] as const,
  ),
  ...['Convolution1D', 'Convolution2D', 'Convolution3D'].map(
    (name) => [name, withBias('kernel')] as const,
  ),
  ...['DepthwiseConv1D', 'DepthwiseConv2D'].map((name) => [name, depthwise] as const),
  ...['SeparableConv1D', 'SeparableConv2D'].map(
    (name) => [name, withBias('depthwise_kernel', 'pointwise_kernel')] as const,
  ),
  [
    'EinsumDense',
    only((config) => trained('kernel', ...(config.get('bias_axes') ? ['bias'] : []))),
  ],
  ['Embedding', only(() => trained('embeddings'))],
  ['PReLU', only(() => trained('alpha'))],
  [
    'BatchNormalization',
    only((config) => [
      ...trained(...scaleAndCentre(config)),
      ...kept('moving_mean', 'moving_variance'),
    ]),
  ],
  ...['LayerNormalization', 'GroupNormalization'].map(
    (name) => [name, only((config) => trained(...scaleAndCentre(config)))] as const,
  ),
  ['RMSNormalization', only(() => trained('scale'))],
  [
    'Normalization',
    only((config) => (config.get('mean') ? [] : kept('mean', 'variance', 'count'))),
  ],
  ...['LSTMCell', 'GRUCell', 'SimpleRNNCell', 'ConvLSTMCell'].map(
    (name) => [name, withBias('kernel', 'recurrent_kernel')] as const,
  ),
  ...['LSTM', 'GRU', 'SimpleRNN'].map((name) => [name, cellOf(`${name}Cell`)] as const),
  ...['CuDNNLSTM', 'CuDNNGRU'].map(
    (name) => [name, only(() => trained('kernel', 'recurrent_kernel', 'bias'))] as const,
  ),
  ...['1D', '2D', '3D'].map((rank) => [`ConvLSTM${rank}`, cellOf('ConvLSTMCell')] as const),
  ['RNN', (config) => ({ variables: [], parts: [partAt(['cell'], config.require('cell'))] })],
  [
    'StackedRNNCells',
    (config) => ({ variables: [], parts: listed('cells', config.require('cells').items()) }),
  ],
  ['Bidirectional', bidirectional],
  ['TimeDistributed', wrapper()],
  ['SpectralNormalization', wrapper(...kept('vector_u'))],
  ['MultiHeadAttention', attention],
]);

/** What a layer is made of; undefined for a class whose variables are not known here. */
export function anatomyOf(
  className: string,
  config: JsonCursor,
  generation: Generation,
): LayerAnatomy | undefined {
  return anatomies.get(className)?.(config, generation);
}

/** A class name as Keras makes names of it: `Conv2DTranspose` is `conv2d_transpose`. */
const snakeCase = (className: string): string =>
  className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
