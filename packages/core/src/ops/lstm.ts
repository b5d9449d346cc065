import { runLstm } from '../kernels/recurrent-cells.js';
import { directions, recurrentAttrs, recurrentConstraints, recurrentTypes } from '../kernels/recurrent.js';
import { canBe } from '../kernels/same-type.js';
import { floatTypes } from '../tensor/dtype.js';
import { bool } from './attr.js';
import { defineOp, one, optional } from './define-op.js';

/**
 * Long short-term memory, as ONNX LSTM-22 in its layout 0. Per direction and step, with f, g, h the direction's three activations and each argument of f and g
 * bounded to [-clip, clip] (that of h is not, as in onnxruntime):
 *
 *     i = f(W_i x + Wb_i + R_i H + Rb_i + P_i * C)        f' = f(W_f x + Wb_f + R_f H + Rb_f + P_f * C), or 1 - i with `inputForget`
 *     c = g(W_c x + Wb_c + R_c H + Rb_c)                  C' = f' * C + i * c
 *     o = f(W_o x + Wb_o + R_o H + Rb_o + P_o * C')       H' = o * h(C')
 *
 * `w` is [directions, 4 * hiddenSize, features], `r` [directions, 4 * hiddenSize, hiddenSize], both with gates in the order i, o, f, c; `b` is [directions,
 * 8 * hiddenSize]: Wb, then Rb; `peepholes` [directions, 3 * hiddenSize] are i, o, f. Absent biases, states and peepholes are zero. With `sequenceLengths` the steps
 * behind an element's length do not run: `y` is zero there, and the reverse direction starts at the last step within it. `y` is [time, directions, batch,
 * hiddenSize] in the order of `x` for both directions; `yH` and `yC` are the states after the last step that ran.
 */
export const lstm = defineOp({
  name: 'LSTM',
  summary: 'Long short-term memory over a sequence [time, batch, features].',
  inputs: {
    x: one(...floatTypes),
    w: one(...floatTypes),
    r: one(...floatTypes),
    b: optional(...floatTypes),
    sequenceLengths: optional('int32', 'int64'),
    initialH: optional(...floatTypes),
    initialC: optional(...floatTypes),
    peepholes: optional(...floatTypes),
  },
  outputs: { y: one(...floatTypes), yH: one(...floatTypes), yC: one(...floatTypes) },
  attrs: { ...recurrentAttrs(), inputForget: bool() },
  constraints: {
    ...recurrentConstraints(4, 3),
    C8: { says: 'peepholes are those of i, o and f of each direction', holds: ({ peepholes }, attrs) => canBe(peepholes, directions(attrs), 3 * attrs.hiddenSize) },
  },
  infer: (types, attrs, { fresh }) => {
    const { y, last } = recurrentTypes(types, attrs, fresh);
    return { y, yH: last, yC: last };
  },
  evaluate: (operands, attrs) => runLstm(operands, attrs),
  ulp: ({ x, w }, { hiddenSize }) => x[0]! * (w[2]! + hiddenSize + 16),
  examples: [],
});
