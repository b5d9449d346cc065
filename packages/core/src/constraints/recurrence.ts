import type { ValueType } from '../tensor/value-type.js';
import {
  directions,
  takesAlpha,
  takesBeta,
  type Recurrence,
  type RecurrentOperands,
} from '../typing/recurrence.js';
import { canBe, sameDType } from './same-type.js';

/**
 * The constraints that recurrent operators share, for `gates` gates and `functions` activations per
 * direction.
 */
export function recurrentConstraints(gates: number, functions: number) {
  return {
    C1: {
      says: 'operands have one float type',
      holds: ({ x, w, r, b, initialH, initialC, peepholes }: RecurrentOperands<ValueType>) =>
        sameDType(x, w, r, b, initialH, initialC, peepholes),
    },
    C2: {
      says: 'the hidden size is positive',
      holds: (_: RecurrentOperands<ValueType>, { hiddenSize }: Recurrence) => hiddenSize > 0,
    },
    C3: {
      says: 'x is [time, batch, features]; w, r and b are those of each direction and gate',
      holds: ({ x, w, r, b }: RecurrentOperands<ValueType>, attrs: Recurrence) => {
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
      holds: (
        { x, sequenceLengths, initialH, initialC }: RecurrentOperands<ValueType>,
        attrs: Recurrence,
      ) => {
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
      holds: (_: RecurrentOperands<ValueType>, attrs: Recurrence) =>
        attrs.activations.length === functions * directions(attrs),
    },
    C6: {
      says: 'there is one alpha for each activation that takes one, and one beta',
      holds: (
        _: RecurrentOperands<ValueType>,
        { activations, activationAlpha, activationBeta }: Recurrence,
      ) =>
        activationAlpha.length === activations.filter(takesAlpha).length &&
        activationBeta.length === activations.filter(takesBeta).length,
    },
    C7: {
      says: 'the clip, where there is one, is positive',
      holds: (_: RecurrentOperands<ValueType>, { clip }: Recurrence) => clip === null || clip > 0,
    },
  } as const;
}
