import { buildRecurrence } from '../building/recurrent-scan.js';
import { scalar } from '../building/scalar.js';
import { recurrentConstraints } from '../constraints/recurrence.js';
import { canBe } from '../constraints/same-type.js';
import type { Value } from '../graph/value.js';
import { runLstm } from '../numeric/recurrent-cells.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { directions, recurrentTypes } from '../typing/recurrence.js';
import { add } from './add.js';
import { bool } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { recurrentAttrs } from './families/recurrent.js';
import { fixed } from './layout.js';
import { matMul } from './mat-mul.js';
import { mul } from './mul.js';
import { ofTerms } from './rounding.js';
import { split } from './split.js';
import { sub } from './sub.js';

/**
 * Long short-term memory, as ONNX LSTM-22 in its layout 0. Per direction and step, with f, g, h the
 * direction's three activations and each argument of f and g bounded to [-clip, clip] (that of h is
 * not, as in onnxruntime):
 *
 *     i = f(W_i x + Wb_i + R_i H + Rb_i + P_i * C)
 *     f' = f(W_f x + Wb_f + R_f H + Rb_f + P_f * C), or 1 - i with `inputForget`
 *     c = g(W_c x + Wb_c + R_c H + Rb_c)                  C' = f' * C + i * c
 *     o = f(W_o x + Wb_o + R_o H + Rb_o + P_o * C')       H' = o * h(C')
 *
 * `w` is [directions, 4 * hiddenSize, features], `r` [directions, 4 * hiddenSize, hiddenSize], both
 * with gates in the order i, o, f, c; `b` is [directions, 8 * hiddenSize]: Wb, then Rb; `peepholes`
 * [directions, 3 * hiddenSize] are i, o, f. Absent biases, states and peepholes are zero. With
 * `sequenceLengths` the steps behind an element's length do not run: `y` is zero there, and the
 * reverse direction starts at the last step within it. `y` is [time, directions, batch, hiddenSize]
 * in the order of `x` for both directions; `yH` and `yC` are the states after the last step that
 * ran.
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
    C8: {
      says: 'peepholes are those of i, o and f of each direction',
      holds: ({ peepholes }, attrs) => canBe(peepholes, directions(attrs), 3 * attrs.hiddenSize),
    },
  },
  infer: (types, attrs, { fresh }) => {
    const { y, last } = recurrentTypes(types, attrs, fresh);
    return { y, yH: last, yC: last };
  },
  evaluate: (operands, attrs) => runLstm(operands, attrs),
  layout: fixed('a sequence is [time, batch, features]'),
  rounding: ({ x, w }, { hiddenSize }) =>
    ofTerms(Math.sqrt(x[0]!) * (Math.sqrt(w[2]! + hiddenSize) / 4 + 3)),
  examples: [
    {
      // One unit with relu everywhere: i = x, o = h + 1, f = 1 / 2, c = 2 x.
      inputs: {
        x: tensor('float32', [2, 1, 1], [1, 2]),
        w: tensor('float32', [1, 4, 1], [1, 0, 0, 2]),
        r: tensor('float32', [1, 4, 1], [0, 1, 0, 0]),
        b: tensor('float32', [1, 8], [0, 0.5, 0.25, 0, 0, 0.5, 0.25, 0]),
        initialH: tensor('float32', [1, 1, 1], [1]),
        initialC: tensor('float32', [1, 1, 1], [4]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'forward',
        activations: ['Relu', 'Relu', 'Relu'],
        activationAlpha: [],
        activationBeta: [],
        clip: null,
        inputForget: false,
      },
      outputs: {
        y: tensor('float32', [2, 1, 1, 1], [8, 90]),
        yH: tensor('float32', [1, 1, 1], [90]),
        yC: tensor('float32', [1, 1, 1], [10]),
      },
    },
    {
      // The last of two steps does not run; peepholes: i = x + c, o = c', f = 1 - i; arguments at
      // most 2.
      inputs: {
        x: tensor('float32', [2, 1, 1], [-0.5, 9]),
        w: tensor('float32', [1, 4, 1], [1, 0, 0, -4]),
        r: tensor('float32', [1, 4, 1], [0, 0, 0, 0]),
        sequenceLengths: tensor('int32', [1], [1]),
        initialC: tensor('float32', [1, 1, 1], [1]),
        peepholes: tensor('float32', [1, 3], [1, 1, 1]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'reverse',
        activations: ['Affine', 'Affine', 'Affine'],
        activationAlpha: [1, 1, 1],
        activationBeta: [0, 0, 0],
        clip: 2,
        inputForget: true,
      },
      outputs: {
        y: tensor('float32', [2, 1, 1, 1], [2.25, 0]),
        yH: tensor('float32', [1, 1, 1], [2.25]),
        yC: tensor('float32', [1, 1, 1], [1.5]),
      },
    },
  ],
  decompose: (operands, attrs, graph) => {
    const size = attrs.hiddenSize;
    return buildRecurrence(operands, attrs, graph, {
      gates: 4,
      hasCell: true,
      hasInnerBias: false,
      step: ({ graph: body, input, states: [h, c], recurrent, peephole, activate, clip }) => {
        const plus = (a: Value, b: Value) => body.add(add, { a, b }, {}).y;
        const times = (a: Value, b: Value) => body.add(mul, { a, b }, {}).y;
        const seeing = (gate: Value, hole: Value | undefined, cell: Value) =>
          hole ? plus(gate, times(hole, cell)) : gate;
        const past = body.add(matMul, { a: h!, b: recurrent(0, 4) }, {}).y;
        const gates = body.add(
          split,
          { x: plus(input, past) },
          { axis: 1, sizes: [size, size, size, size] },
        ).outputs;
        const i = activate(0, clip(seeing(gates[0]!, peephole(0), c!)));
        const f = attrs.inputForget
          ? body.add(sub, { a: scalar(body, c!.dtype, 1), b: i }, {}).y
          : activate(0, clip(seeing(gates[2]!, peephole(2), c!)));
        const cell = plus(times(f, c!), times(i, activate(1, clip(gates[3]!))));
        const o = activate(0, clip(seeing(gates[1]!, peephole(1), cell)));
        return [times(o, activate(2, cell)), cell];
      },
    });
  },
});
