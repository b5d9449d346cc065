import { runGru } from '../kernels/recurrent-cells.js';
import { recurrentAttrs, recurrentConstraints, recurrentTypes } from '../kernels/recurrent.js';
import { floatTypes } from '../tensor/dtype.js';
import { bool } from './attr.js';
import { defineOp, one, optional } from './define-op.js';

/**
 * Gated recurrent units, as ONNX GRU-22 in its layout 0. Per direction and step, with f, g the direction's two activations and each argument of an activation bounded to
 * [-clip, clip]:
 *
 *     z = f(W_z x + Wb_z + R_z H + Rb_z)        r = f(W_r x + Wb_r + R_r H + Rb_r)
 *     n = g(W_n x + Wb_n + r * (R_n H + Rb_n)) with `linearBeforeReset`, else g(W_n x + Wb_n + R_n (r * H) + Rb_n)
 *     H' = (1 - z) * n + z * H
 *
 * `w` is [directions, 3 * hiddenSize, features], `r` [directions, 3 * hiddenSize, hiddenSize], both with gates in the order z, r, n; `b` is [directions,
 * 6 * hiddenSize]: Wb, then Rb. Absent biases and states are zero. With `sequenceLengths` the steps behind an element's length do not run: `y` is zero there, and
 * the reverse direction starts at the last step within it. `y` is [time, directions, batch, hiddenSize] in the order of `x` for both directions; `yH` is the
 * state after the last step that ran.
 */
export const gru = defineOp({
  name: 'GRU',
  summary: 'Gated recurrent units over a sequence [time, batch, features].',
  inputs: {
    x: one(...floatTypes),
    w: one(...floatTypes),
    r: one(...floatTypes),
    b: optional(...floatTypes),
    sequenceLengths: optional('int32', 'int64'),
    initialH: optional(...floatTypes),
  },
  outputs: { y: one(...floatTypes), yH: one(...floatTypes) },
  attrs: { ...recurrentAttrs(), linearBeforeReset: bool() },
  constraints: recurrentConstraints(3, 2),
  infer: (types, attrs, { fresh }) => {
    const { y, last } = recurrentTypes(types, attrs, fresh);
    return { y, yH: last };
  },
  evaluate: (operands, attrs) => runGru(operands, attrs),
  ulp: ({ x, w }, { hiddenSize }) => x[0]! * (w[2]! + hiddenSize + 16),
  examples: [],
});
