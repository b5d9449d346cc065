import type { Dim } from '../tensor/dim.js';
import type { ValueType } from '../tensor/value-type.js';

/**
 * The order in which a recurrent operator reads its sequence; `bidirectional` is both, forward
 * first.
 */
export type Direction = 'forward' | 'reverse' | 'bidirectional';

/** Activation functions of recurrent operators, as ONNX names them. */
export const activationNames = [
  'Affine',
  'Elu',
  'HardSigmoid',
  'LeakyRelu',
  'Relu',
  'ScaledTanh',
  'Sigmoid',
  'Softplus',
  'Softsign',
  'Tanh',
  'ThresholdedRelu',
] as const;

/** Name of an activation function. */
export type ActivationName = (typeof activationNames)[number];

/** What recurrent operators state beside their operands. */
export interface Recurrence {
  readonly hiddenSize: number;
  readonly direction: Direction;
  readonly activations: readonly ActivationName[];
  /** One number for each activation that takes an alpha, in order; likewise the betas. */
  readonly activationAlpha: readonly number[];
  readonly activationBeta: readonly number[];
  readonly clip: number | null;
}

/** Number of directions. */
export function directions({ direction }: { readonly direction: Direction }): 1 | 2 {
  return direction === 'bidirectional' ? 2 : 1;
}

/** The operands that recurrent operators share: as types, values or tensors. */
export interface RecurrentOperands<T> {
  readonly x: T;
  readonly w: T;
  readonly r: T;
  readonly b?: T | undefined;
  readonly sequenceLengths?: T | undefined;
  readonly initialH?: T | undefined;
  readonly initialC?: T | undefined;
  readonly peepholes?: T | undefined;
}

/** Whether an activation function has a parameter alpha. */
export const takesAlpha = (name: ActivationName): boolean =>
  !['Relu', 'Sigmoid', 'Softplus', 'Softsign', 'Tanh'].includes(name);

/** Whether an activation function has a parameter beta. */
export const takesBeta = (name: ActivationName): boolean =>
  ['Affine', 'HardSigmoid', 'ScaledTanh'].includes(name);

/** An activation function with the parameters that it takes; the others are 0. */
export interface Activation {
  readonly name: ActivationName;
  readonly alpha: number;
  readonly beta: number;
}

/** The activations with their parameters. */
export function activationsOf({
  activations,
  activationAlpha,
  activationBeta,
}: Recurrence): Activation[] {
  const [alphas, betas] = [[...activationAlpha], [...activationBeta]];
  return activations.map((name) => ({
    name,
    alpha: takesAlpha(name) ? alphas.shift()! : 0,
    beta: takesBeta(name) ? betas.shift()! : 0,
  }));
}

/**
 * Types of all hidden states [time, directions, batch, hidden size] and of the last ones
 * [directions, batch, hidden size].
 */
export function recurrentTypes(
  { x }: RecurrentOperands<ValueType>,
  attrs: Recurrence,
  fresh: (hint: string) => Dim,
): { y: ValueType; last: ValueType } {
  const [time, batch] = [x.shape?.[0] ?? fresh('time'), x.shape?.[1] ?? fresh('batch')];
  const last = [directions(attrs), batch, attrs.hiddenSize];
  return { y: { dtype: x.dtype, shape: [time, ...last] }, last: { dtype: x.dtype, shape: last } };
}
