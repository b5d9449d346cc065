import { buildRecurrence } from '../building/recurrent-scan.js';
import { scalar } from '../building/scalar.js';
import { recurrentConstraints } from '../constraints/recurrence.js';
import type { Value } from '../graph/value.js';
import { runGru } from '../numeric/recurrent-cells.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { recurrentTypes } from '../typing/recurrence.js';
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
 * Gated recurrent units, as ONNX GRU-22 in its layout 0. Per direction and step, with f, g the
 * direction's two activations and each argument of an activation bounded to [-clip, clip]:
 *
 *     z = f(W_z x + Wb_z + R_z H + Rb_z)        r = f(W_r x + Wb_r + R_r H + Rb_r)
 *     n = g(W_n x + Wb_n + r * (R_n H + Rb_n)) with `linearBeforeReset`,
 *         else g(W_n x + Wb_n + R_n (r * H) + Rb_n)
 *     H' = (1 - z) * n + z * H
 *
 * `w` is [directions, 3 * hiddenSize, features], `r` [directions, 3 * hiddenSize, hiddenSize], both
 * with gates in the order z, r, n; `b` is [directions, 6 * hiddenSize]: Wb, then Rb. Absent biases
 * and states are zero. With `sequenceLengths` the steps behind an element's length do not run: `y`
 * is zero there, and the reverse direction starts at the last step within it. `y` is [time,
 * directions, batch, hiddenSize] in the order of `x` for both directions; `yH` is the state after
 * the last step that ran.
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
  layout: fixed('a sequence is [time, batch, features]'),
  rounding: ({ x, w }, { hiddenSize }) =>
    ofTerms(Math.sqrt(x[0]!) * (Math.sqrt(w[2]! + hiddenSize) / 4 + 3)),
  examples: [
    {
      // One unit, z = x / 4, r = 1 / 2, n = x + r (h + 1): linear before the reset.
      inputs: {
        x: tensor('float32', [2, 1, 1], [2, 1]),
        w: tensor('float32', [1, 3, 1], [0.25, 0, 1]),
        r: tensor('float32', [1, 3, 1], [0, 0, 1]),
        b: tensor('float32', [1, 6], [0, 0.25, 0, 0, 0.25, 1]),
        initialH: tensor('float32', [1, 1, 1], [4]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'forward',
        activations: ['Affine', 'Relu'],
        activationAlpha: [1],
        activationBeta: [0],
        clip: null,
        linearBeforeReset: true,
      },
      outputs: {
        y: tensor('float32', [2, 1, 1, 1], [4.25, 3.78125]),
        yH: tensor('float32', [1, 1, 1], [3.78125]),
      },
    },
    {
      // The same with n = x + (r h) + 1, from the last step to the first, over one step of two.
      inputs: {
        x: tensor('float32', [2, 1, 1], [2, 1]),
        w: tensor('float32', [1, 3, 1], [0.25, 0, 1]),
        r: tensor('float32', [1, 3, 1], [0, 0, 1]),
        b: tensor('float32', [1, 6], [0, 0.25, 0, 0, 0.25, 1]),
        sequenceLengths: tensor('int32', [1], [1]),
        initialH: tensor('float32', [1, 1, 1], [4]),
      },
      attrs: {
        hiddenSize: 1,
        direction: 'reverse',
        activations: ['Affine', 'Relu'],
        activationAlpha: [1],
        activationBeta: [0],
        clip: null,
        linearBeforeReset: false,
      },
      outputs: {
        y: tensor('float32', [2, 1, 1, 1], [4.5, 0]),
        yH: tensor('float32', [1, 1, 1], [4.5]),
      },
    },
  ],
  decompose: (operands, attrs, graph) => {
    const { hiddenSize: size, linearBeforeReset } = attrs;
    const { y, yH } = buildRecurrence(operands, attrs, graph, {
      gates: 3,
      hasCell: false,
      hasInnerBias: linearBeforeReset,
      step: ({ graph: body, input, states: [h], recurrent, bias, activate, clip }) => {
        const plus = (a: Value, b: Value) => body.add(add, { a, b }, {}).y;
        const times = (a: Value, b: Value) => body.add(mul, { a, b }, {}).y;
        const inner = (a: Value, first: number, count: number) => {
          const own = linearBeforeReset ? bias(first, count) : undefined;
          return own ? plus(a, own) : a;
        };
        const past = inner(body.add(matMul, { a: h!, b: recurrent(0, 2) }, {}).y, 0, 2);
        const [x, last] = body.add(
          split,
          { x: input },
          { axis: 1, sizes: [2 * size, size] },
        ).outputs;
        const [z, r] = body.add(
          split,
          { x: activate(0, clip(plus(x!, past))) },
          { axis: 1, sizes: [size, size] },
        ).outputs;
        const product = body.add(
          matMul,
          { a: linearBeforeReset ? h! : times(r!, h!), b: recurrent(2, 1) },
          {},
        ).y;
        const biased = inner(product, 2, 1);
        const n = activate(1, clip(plus(last!, linearBeforeReset ? times(r!, biased) : biased)));
        const rest = body.add(sub, { a: scalar(body, h!.dtype, 1), b: z! }, {}).y;
        return [plus(times(rest, n), times(z!, h!))];
      },
    });
    return { y, yH };
  },
});
