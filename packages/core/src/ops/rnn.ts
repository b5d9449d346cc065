import { runRnn } from '../kernels/recurrent-cells.js';
import { recurrentAttrs, recurrentConstraints, recurrentTypes } from '../kernels/recurrent.js';
import { floatTypes } from '../tensor/dtype.js';
import { defineOp, one, optional } from './define-op.js';

/**
 * Simple recurrent units, as ONNX RNN-22 in its layout 0: per direction and step H' = f(W x + Wb + R H + Rb), the argument bounded to [-clip, clip].
 *
 * `w` is [directions, hiddenSize, features], `r` [directions, hiddenSize, hiddenSize], `b` [directions, 2 * hiddenSize]: Wb, then Rb. Absent biases and states are
 * zero. With `sequenceLengths` the steps behind an element's length do not run: `y` is zero there, and the reverse direction starts at the last step within it.
 * `y` is [time, directions, batch, hiddenSize] in the order of `x` for both directions; `yH` is the state after the last step that ran.
 */
export const rnn = defineOp({
  name: 'RNN',
  summary: 'Simple recurrent units over a sequence [time, batch, features].',
  inputs: {
    x: one(...floatTypes),
    w: one(...floatTypes),
    r: one(...floatTypes),
    b: optional(...floatTypes),
    sequenceLengths: optional('int32', 'int64'),
    initialH: optional(...floatTypes),
  },
  outputs: { y: one(...floatTypes), yH: one(...floatTypes) },
  attrs: recurrentAttrs(),
  constraints: recurrentConstraints(1, 1),
  infer: (types, attrs, { fresh }) => {
    const { y, last } = recurrentTypes(types, attrs, fresh);
    return { y, yH: last };
  },
  evaluate: (operands, attrs) => runRnn(operands, attrs),
  ulp: ({ x, w }, { hiddenSize }) => x[0]! * (w[2]! + hiddenSize + 16),
  examples: [],
});
