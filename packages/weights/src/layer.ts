import type { Weight } from '@drover/core';

/** What a layer is, as far as its tensors tell kinds apart. */
export type Kind =
  | 'linear'
  | 'convolution'
  | 'transposed convolution'
  | 'normalization'
  | 'embedding'
  | 'slopes'
  | 'LSTM'
  | 'GRU'
  | 'RNN';

/** What a tensor is in its layer. */
export type Role =
  | 'weight'
  | 'bias'
  | 'scale'
  | 'mean'
  | 'variance'
  | 'input weight'
  | 'recurrent weight'
  | 'input bias'
  | 'recurrent bias';

/**
 * The tensors of a layer by what they are, laid out as core's operators take them: of a `linear`
 * layer [inputs, outputs], of convolutions as core's Conv and ConvTranspose, of recurrences one
 * direction with gates in core's order; vectors of channels have one dimension.
 */
export type Parts = ReadonlyMap<Role, Weight>;

/** What a tensor of a layer is to hold. */
export interface Held<P> {
  readonly place: P;
  readonly weight: Weight;
  /** Which row along the first axis of the tensor it is, and of how many. */
  readonly row: readonly [index: number, count: number];
}

/** A layer's tensors, seen as those of a kind of layer. */
export interface Form<P> {
  readonly kind: Kind;
  /** Which framework keeps them so. */
  readonly convention: string;
  readonly parts: Parts;
  /** Where a part is kept, laid out as it is kept there; undefined where it has no place. */
  held(role: Role, part: Weight): Held<P> | undefined;
}

/** A name that may be a layer's, as its components, and how much it tells: more is surer. */
export interface LayerName {
  readonly path: readonly string[];
  readonly trust: number;
}

/**
 * A group of tensors that belong together: an operator of a graph with its constants, or the
 * tensors of a checkpoint under one name. `P` is where a tensor is kept.
 */
export interface Layer<P> {
  /** For people. */
  readonly title: string;
  readonly names: readonly LayerName[];
  /** Whether a recurrence runs backwards; undefined where nothing tells. */
  readonly isReverse: boolean | undefined;
  /** The ways to see it, of each kind the usual one first; never none. */
  readonly forms: readonly [Form<P>, ...Form<P>[]];
  /** Names of its tensors in their file. */
  readonly tensors: readonly string[];
}

/** A tensor that belongs to no layer: a table of positions, a mask, a factor. */
export interface Loose<P> {
  readonly place: P;
  /** Its name in its file. */
  readonly name: string;
  readonly weight: Weight;
}
