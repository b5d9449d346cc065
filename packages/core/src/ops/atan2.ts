import { scalar } from '../building/scalar.js';
import { sameTypeBroadcast } from '../constraints/broadcast.js';
import { evaluateBinary } from '../numeric/binary.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { broadcastType } from '../typing/broadcast.js';
import { add } from './add.js';
import { and } from './and.js';
import { atan } from './atan.js';
import { defineOp, one } from './define-op.js';
import { div } from './div.js';
import { equal } from './equal.js';
import { isInf } from './is-inf.js';
import { elementwise } from './layout.js';
import { less } from './less.js';
import { or } from './or.js';
import { reciprocal } from './reciprocal.js';
import { ofElement } from './rounding.js';
import { sign } from './sign.js';
import { where } from './where.js';

/** The angle of the point (b, a) from the first axis. */
export const atan2 = defineOp({
  name: 'Atan2',
  summary: 'Angle in [-π, π] of the point with abscissa `b` and ordinate `a`, with broadcasting.',
  inputs: { a: one(...floatTypes), b: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: {},
  constraints: sameTypeBroadcast,
  infer: ({ a, b }) => ({ y: broadcastType(a.dtype, a, b) }),
  evaluate: ({ a, b }) => ({
    y: evaluateBinary(
      a,
      b,
      a.dtype,
      (y, a, b) => {
        for (let i = 0; i < y.length; i++) y[i] = Math.atan2(a[i]!, b[i]!);
      },
      () => 0n,
    ),
  }),
  layout: elementwise,
  rounding: () => ofElement(4),
  examples: [
    {
      inputs: {
        a: tensor('float64', [6], [1, 1, -1, -1, 0, 0]),
        b: tensor('float64', [6], [1, -1, 1, -1, 1, -1]),
      },
      attrs: {},
      outputs: {
        y: tensor(
          'float64',
          [6],
          [Math.PI / 4, (3 * Math.PI) / 4, -Math.PI / 4, (-3 * Math.PI) / 4, 0, Math.PI],
        ),
      },
    },
    {
      inputs: {
        a: tensor('float64', [4], [0, 2, -0, -Infinity]),
        b: tensor('float64', [4], [0, 0, -3, Infinity]),
      },
      attrs: {},
      outputs: { y: tensor('float64', [4], [0, Math.PI / 2, -Math.PI, -Math.PI / 4]) },
    },
  ],
  decompose: ({ a, b }, _, graph) => {
    const number = (value: number) => scalar(graph, a.dtype, value);
    const choose = (condition: typeof a, x: typeof a, y: typeof a) =>
      graph.add(where, { condition, x, y }, {}).y;
    const infinite = { positive: true, negative: true };
    const isFar = graph.add(
      and,
      { a: graph.add(isInf, { x: a }, infinite).y, b: graph.add(isInf, { x: b }, infinite).y },
      {},
    ).y;
    const ordinate = choose(isFar, graph.add(sign, { x: a }, {}).y, a);
    const abscissa = choose(isFar, graph.add(sign, { x: b }, {}).y, b);
    // 1/x tells -0 from 0, which comparison does not.
    const isNegative = (x: typeof a) => {
      const { y: below } = graph.add(less, { a: x, b: number(0) }, {});
      const { y: belowInverse } = graph.add(
        less,
        { a: graph.add(reciprocal, { x }, {}).y, b: number(0) },
        {},
      );
      return graph.add(or, { a: below, b: belowInverse }, {}).y;
    };
    const { y: quotient } = graph.add(div, { a: ordinate, b: abscissa }, {});
    const isOrigin = graph.add(
      and,
      {
        a: graph.add(equal, { a, b: number(0) }, {}).y,
        b: graph.add(equal, { a: b, b: number(0) }, {}).y,
      },
      {},
    ).y;
    const angle = choose(isOrigin, ordinate, graph.add(atan, { x: quotient }, {}).y);
    const turn = choose(isNegative(ordinate), number(-Math.PI), number(Math.PI));
    return { y: choose(isNegative(abscissa), graph.add(add, { a: angle, b: turn }, {}).y, angle) };
  },
});
