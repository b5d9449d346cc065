import { activationNames } from '../../typing/recurrence.js';
import { float, floatList, int, listOf, nullable, oneOf } from '../attr.js';

/** The attributes that recurrent operators share. */
export const recurrentAttrs = () => ({
  hiddenSize: int(),
  direction: oneOf('forward', 'reverse', 'bidirectional'),
  activations: listOf(oneOf(...activationNames)),
  activationAlpha: floatList(),
  activationBeta: floatList(),
  clip: nullable(float()),
});
