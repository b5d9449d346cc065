import { float, floatList, int, listOf, nullable, oneOf } from '../ops/attr.js';
import type { ValueType } from '../ops/define-op.js';
import type { Dim } from '../tensor/dim.js';
import { canBe, sameDType } from './same-type.js';

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

/** The attributes that recurrent operators share. */
export const recurrentAttrs = () => ({
  hiddenSize: int(),
  direction: oneOf('forward', 'reverse', 'bidirectional'),
  activations: listOf(oneOf(...activationNames)),
  activationAlpha: floatList(),
  activationBeta: floatList(),
  clip: nullable(float()),
});

/** Number of directions. */
export function directions({ direction }: { readonly direction: Direction }): 1 | 2 {
  return direction === 'bidirectional' ? 2 : 1;
}

/** The operands that recurrent operators share. */
export interface RecurrentTypes {
  readonly x: ValueType;
  readonly w: ValueType;
  readonly r: ValueType;
  readonly b?: ValueType | undefined;
  readonly sequenceLengths?: ValueType | undefined;
  readonly initialH?: ValueType | undefined;
  readonly initialC?: ValueType | undefined;
  readonly peepholes?: ValueType | undefined;
}

const takesAlpha = (name: ActivationName): boolean =>
  !['Relu', 'Sigmoid', 'Softplus', 'Softsign', 'Tanh'].includes(name);
const takesBeta = (name: ActivationName): boolean =>
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
 * The constraints that recurrent operators share, for `gates` gates and `functions` activations per
 * direction.
 */
export function recurrentConstraints(gates: number, functions: number) {
  return {
    C1: {
      says: 'operands have one float type',
      holds: ({ x, w, r, b, initialH, initialC, peepholes }: RecurrentTypes) =>
        sameDType(x, w, r, b, initialH, initialC, peepholes),
    },
    C2: {
      says: 'the hidden size is positive',
      holds: (_: RecurrentTypes, { hiddenSize }: Recurrence) => hiddenSize > 0,
    },
    C3: {
      says: 'x is [time, batch, features]; w, r and b are those of each direction and gate',
      holds: ({ x, w, r, b }: RecurrentTypes, attrs: Recurrence) => {
        const [d, size] = [directions(attrs), attrs.hiddenSize];
        return (
          canBe(x, undefined, undefined, w.shape?.[2]) &&
          canBe(w, d, gates * size, undefined) &&
          canBe(r, d, gates * size, size) &&
          canBe(b, d, 2 * gates * size)
        );
      },
    },
    C4: {
      says: 'sequence lengths are one per batch element, initial states [directions, batch, hidden size]',
      holds: ({ x, sequenceLengths, initialH, initialC }: RecurrentTypes, attrs: Recurrence) => {
        const batch = x.shape?.[1];
        return (
          canBe(sequenceLengths, batch) &&
          [initialH, initialC].every((state) =>
            canBe(state, directions(attrs), batch, attrs.hiddenSize),
          )
        );
      },
    },
    C5: {
      says: `each direction has ${functions} activation${functions > 1 ? 's' : ''}`,
      holds: (_: RecurrentTypes, attrs: Recurrence) =>
        attrs.activations.length === functions * directions(attrs),
    },
    C6: {
      says: 'there is one alpha for each activation that takes one, and one beta',
      holds: (_: RecurrentTypes, { activations, activationAlpha, activationBeta }: Recurrence) =>
        activationAlpha.length === activations.filter(takesAlpha).length &&
        activationBeta.length === activations.filter(takesBeta).length,
    },
    C7: {
      says: 'the clip, where there is one, is positive',
      holds: (_: RecurrentTypes, { clip }: Recurrence) => clip === null || clip > 0,
    },
  } as const;
}

/**
 * Types of all hidden states [time, directions, batch, hidden size] and of the last ones
 * [directions, batch, hidden size].
 */
export function recurrentTypes(
  { x }: RecurrentTypes,
  attrs: Recurrence,
  fresh: (hint: string) => Dim,
): { y: ValueType; last: ValueType } {
  const [time, batch] = [x.shape?.[0] ?? fresh('time'), x.shape?.[1] ?? fresh('batch')];
  const last = [directions(attrs), batch, attrs.hiddenSize];
  return { y: { dtype: x.dtype, shape: [time, ...last] }, last: { dtype: x.dtype, shape: last } };
}
