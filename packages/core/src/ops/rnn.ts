import { buildRecurrence } from '../building/recurrent-scan.js';
import { recurrentConstraints } from '../constraints/recurrence.js';
import { runRnn } from '../numeric/recurrent-cells.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { recurrentTypes } from '../typing/recurrence.js';
import { add } from './add.js';
import { defineOp, one, optional } from './define-op.js';
import { recurrentAttrs } from './families/recurrent.js';
import { fixed } from './layout.js';
import { matMul } from './mat-mul.js';
import { ofTerms } from './rounding.js';

/**
 * Simple recurrent units, as ONNX RNN-22 in its layout 0: per direction and step H' = f(W x + Wb +
 * R H + Rb), the argument bounded to [-clip, clip].
 *
 * `w` is [directions, hiddenSize, features], `r` [directions, hiddenSize, hiddenSize], `b`
 * [directions, 2 * hiddenSize]: Wb, then Rb. Absent biases and states are zero. With
 * `sequenceLengths` the steps behind an element's length do not run: `y` is zero there, and the
 * reverse direction starts at the last step within it. `y` is [time, directions, batch, hiddenSize]
 * in the order of `x` for both directions; `yH` is the state after the last step that ran.
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
  layout: fixed('a sequence is [time, batch, features]'),
  rounding: ({ x, w }, { hiddenSize }) =>
    ofTerms(Math.sqrt(x[0]!) * (Math.sqrt(w[2]! + hiddenSize) / 4 + 3)),
  examples: [
    {
      // Two steps of one unit: relu(2 x + 3 h + 1).
      inputs: {
        x: tensor('float32', [2, 1, 1], [1, -4]),
        w: tensor('float32', [1, 1, 1], [2]),
        r: tensor('float32', [1, 1, 1], [3]),
        b: tensor('float32', [1, 2], [0.5, 0.5]),
        initialH: tensor('float32', [1, 1, 1], [1]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'forward',
        activations: ['Relu'],
        activationAlpha: [],
        activationBeta: [],
        clip: null,
      },
      outputs: {
        y: tensor('float32', [2, 1, 1, 1], [6, 11]),
        yH: tensor('float32', [1, 1, 1], [11]),
      },
    },
    {
      // Both directions over sequences of two and one steps: 0.5 (x + h), at most 3 within.
      inputs: {
        x: tensor('float32', [2, 2, 1], [2, 8, 4, 16]),
        w: tensor('float32', [2, 1, 1], [1, 1]),
        r: tensor('float32', [2, 1, 1], [1, 1]),
        sequenceLengths: tensor('int32', [2], [2, 1]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'bidirectional',
        activations: ['Affine', 'Affine'],
        activationAlpha: [0.5, 0.5],
        activationBeta: [0, 0],
        clip: 3,
      },
      outputs: {
        y: tensor('float32', [2, 2, 2, 1], [1, 1.5, 1.5, 1.5, 1.5, 0, 1.5, 0]),
        yH: tensor('float32', [2, 2, 1], [1.5, 1.5, 1.5, 1.5]),
      },
    },
  ],
  decompose: (operands, attrs, graph) => {
    const { y, yH } = buildRecurrence(operands, attrs, graph, {
      gates: 1,
      hasCell: false,
      hasInnerBias: false,
      step: ({ graph: body, input, states: [h], recurrent, activate, clip }) => {
        const past = body.add(matMul, { a: h!, b: recurrent(0, 1) }, {}).y;
        return [activate(0, clip(body.add(add, { a: input, b: past }, {}).y))];
      },
    });
    return { y, yH };
  },
});
