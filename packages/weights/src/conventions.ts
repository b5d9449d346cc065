import type { Kind, Role } from './layer.js';
import {
  blocks,
  both,
  reshaped,
  same,
  transposed,
  vector,
  type WeightLayout,
} from './weight-layout.js';

/** A tensor as a framework names it and lays it out. */
export interface Leaf {
  readonly role: Role;
  /** What its name can end with, in small letters. */
  readonly names: readonly string[];
  /** How many dimensions it can have. */
  readonly ranks: readonly number[];
  readonly layout: WeightLayout;
  /** Which row of the tensor it is, and of how many, where others are the other rows. */
  readonly row?: readonly [index: number, count: number];
}

/** How a framework keeps the tensors of a kind of layer. The first leaf is what tells it. */
export interface Convention {
  readonly kind: Kind;
  readonly name: string;
  readonly leaves: readonly [Leaf, ...Leaf[]];
}

const leaf = (
  role: Role,
  names: readonly string[],
  ranks: readonly number[],
  layout: WeightLayout = same,
): Leaf => ({ role, names, ranks, layout });

const convention = (kind: Kind, name: string, ...leaves: [Leaf, ...Leaf[]]): Convention => ({
  kind,
  name,
  leaves,
});

const vectors = [1, 2, 3, 4, 5];
const spatial = [3, 4, 5];
const ahead = (count: number) => Array.from({ length: count }, (_, i) => i);

/** [kernel…, inputs, outputs] as core's [outputs, inputs, kernel…]. */
const channelsLast = transposed((rank) => [rank - 1, rank - 2, ...ahead(rank - 2)]);

/** [kernel…, channels, multiplier] as core's [channels * multiplier, 1, kernel…]. */
const depthwise = both(
  transposed((rank) => [rank - 2, rank - 1, ...ahead(rank - 2)]),
  reshaped(([channels, multiplier, ...kernel]) => [channels! * multiplier!, 1, ...kernel]),
);

const turned = transposed(() => [1, 0]);
const product = (sizes: readonly number[]) => sizes.reduce((a, b) => a * b, 1);

const bias = leaf('bias', ['bias', 'biases'], vectors, vector);
const kernel = ['kernel', 'weights'];

/**
 * The conventions of recurrences. Block i of core's gates is block `torch[i]` of PyTorch's and
 * MXNet's, and `keras[i]` of Keras's.
 */
function recurrence(
  kind: Kind,
  torch: readonly number[],
  keras: readonly number[],
): readonly Convention[] {
  const rows = [2];
  const [own, kerasOwn] = [blocks(torch), blocks(keras)];
  const columns = both(turned, kerasOwn);
  return [
    convention(
      kind,
      'PyTorch',
      leaf('input weight', ['weight_ih', 'i2h_weight'], rows, own),
      leaf('recurrent weight', ['weight_hh', 'h2h_weight'], rows, own),
      leaf('input bias', ['bias_ih', 'i2h_bias'], [1], own),
      leaf('recurrent bias', ['bias_hh', 'h2h_bias'], [1], own),
    ),
    convention(
      kind,
      'Keras',
      leaf('recurrent weight', ['recurrent_kernel'], rows, columns),
      leaf('input weight', ['kernel'], rows, columns),
      leaf('input bias', ['bias'], [1], kerasOwn),
      { ...leaf('input bias', ['bias'], [2], kerasOwn), row: [0, 2] },
      { ...leaf('recurrent bias', ['bias'], [2], kerasOwn), row: [1, 2] },
    ),
  ];
}

/**
 * The conventions of the frameworks, the usual one of a kind first: modules of `torch.nn`, Gluon
 * blocks and symbols of MXNet, layers of Keras 1 to 3, of `tf.layers` and of `slim`.
 */
export const conventions: readonly Convention[] = [
  convention('linear', 'PyTorch', leaf('weight', ['weight'], [2], turned), bias),
  convention(
    'linear',
    'PyTorch attention',
    leaf('weight', ['in_proj_weight'], [2], turned),
    leaf('bias', ['in_proj_bias'], [1]),
  ),
  // Conv1D of Hugging Face's GPT-2.
  convention('linear', 'inputs first', leaf('weight', ['weight'], [2]), bias),
  convention('linear', 'Keras', leaf('weight', kernel, [2]), bias),
  convention(
    'linear',
    'Keras, to heads',
    leaf(
      'weight',
      ['kernel'],
      [3],
      reshaped(([size, ...heads]) => [size!, product(heads)]),
    ),
    bias,
  ),
  convention(
    'linear',
    'Keras, from heads',
    leaf(
      'weight',
      ['kernel'],
      [3],
      reshaped((shape) => [product(shape.slice(0, -1)), shape.at(-1)!]),
    ),
    bias,
  ),
  convention('convolution', 'PyTorch', leaf('weight', ['weight'], spatial), bias),
  convention('convolution', 'Keras', leaf('weight', kernel, spatial, channelsLast), bias),
  convention(
    'convolution',
    'Keras, depthwise',
    leaf('weight', ['depthwise_kernel', 'depthwise_weights', 'kernel'], spatial, depthwise),
    bias,
  ),
  convention(
    'convolution',
    'Keras, pointwise',
    leaf('weight', ['pointwise_kernel', 'pointwise_weights'], spatial, channelsLast),
    bias,
  ),
  convention('transposed convolution', 'PyTorch', leaf('weight', ['weight'], spatial), bias),
  convention(
    'transposed convolution',
    'Keras',
    leaf('weight', kernel, spatial, channelsLast),
    bias,
  ),
  convention(
    'normalization',
    'with scale',
    leaf('scale', ['weight', 'gamma', 'scale'], vectors, vector),
    leaf('bias', ['bias', 'beta', 'offset'], vectors, vector),
    leaf('mean', ['running_mean', 'moving_mean', 'mean'], vectors, vector),
    leaf(
      'variance',
      ['running_var', 'moving_variance', 'moving_var', 'variance', 'var'],
      vectors,
      vector,
    ),
  ),
  convention(
    'normalization',
    'without scale',
    leaf('mean', ['running_mean', 'moving_mean', 'mean'], vectors, vector),
    leaf(
      'variance',
      ['running_var', 'moving_variance', 'moving_var', 'variance', 'var'],
      vectors,
      vector,
    ),
    leaf('bias', ['bias', 'beta', 'offset'], vectors, vector),
  ),
  convention('embedding', 'rows', leaf('weight', ['weight', 'embeddings'], [2])),
  convention('slopes', 'vector', leaf('weight', ['weight', 'alpha', 'gamma'], vectors, vector)),
  ...recurrence('LSTM', [0, 3, 1, 2], [0, 3, 1, 2]),
  ...recurrence('GRU', [1, 0, 2], [0, 1, 2]),
  ...recurrence('RNN', [0], [0]),
];

/** Every name that a tensor of a layer can end with. */
export const leafNames: ReadonlySet<string> = new Set(
  conventions.flatMap(({ leaves }) => leaves.flatMap(({ names }) => names)),
);
