import { scalar } from '../building/scalar.js';
import { erfc } from '../numeric/error-function.js';
import { mapFloat, type UnaryLoop } from '../numeric/map.js';
import { floatTypes } from '../tensor/dtype.js';
import { add } from './add.js';
import { oneOf } from './attr.js';
import { defineOp, one } from './define-op.js';
import { erf } from './erf.js';
import { unaryExample } from './families/unary.js';
import { elementwise } from './layout.js';
import { mul } from './mul.js';
import { ofTerms } from './rounding.js';
import { tanh } from './tanh.js';

const slope = Math.sqrt(2 / Math.PI);
const cubic = 0.044715;

/** x Φ(x) = x erfc(-x/√2) / 2; written with erf, the negative tail would lose its digits. */
const exact: UnaryLoop = (y, x) => {
  for (let i = 0; i < y.length; i++) y[i] = 0.5 * x[i]! * erfc(-x[i]! * Math.SQRT1_2);
};
/** x (1 + tanh(u)) / 2 = x / (1 + e^(-2u)), for the same reason. */
const approximation: UnaryLoop = (y, x) => {
  for (let i = 0; i < y.length; i++)
    y[i] = x[i]! / (1 + Math.exp(-2 * slope * (x[i]! + cubic * x[i]! * x[i]! * x[i]!)));
};

/**
 * x times the normal distribution function (Hendrycks, Gimpel 2016), or its approximation by tanh.
 * Φ(1) is from DLMF 7.2 by erf(1/√2).
 */
export const gelu = defineOp({
  name: 'Gelu',
  summary:
    'x Φ(x) with the normal distribution function Φ, exact or approximated by tanh(√(2/π) (x + 0.044715 x³)).',
  inputs: { x: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: { approximate: oneOf('none', 'tanh') },
  constraints: {},
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  evaluate: ({ x }, { approximate }) => ({
    y: mapFloat(x, approximate === 'none' ? exact : approximation),
  }),
  layout: elementwise,
  rounding: () => ofTerms(5),
  examples: [
    unaryExample(
      [
        [0, 0],
        [1, 0.8413447460685429],
        [-1, -0.15865525393145707],
      ],
      { approximate: 'none' },
    ),
    unaryExample(
      [
        [0, 0],
        [1, 0.5 * (1 + Math.tanh(slope * 1.044715))],
        [-1, -0.5 * (1 - Math.tanh(slope * 1.044715))],
      ],
      { approximate: 'tanh' },
    ),
  ],
  decompose: ({ x }, { approximate }, graph) => {
    const number = (value: number) => scalar(graph, x.dtype, value);
    const times = (a: typeof x, b: typeof x) => graph.add(mul, { a, b }, {}).y;
    const plus = (a: typeof x, b: typeof x) => graph.add(add, { a, b }, {}).y;
    const curve =
      approximate === 'none'
        ? graph.add(erf, { x: times(x, number(Math.SQRT1_2)) }, {}).y
        : graph.add(
            tanh,
            { x: times(plus(x, times(times(times(x, x), x), number(cubic))), number(slope)) },
            {},
          ).y;
    return { y: times(times(x, number(0.5)), plus(curve, number(1))) };
  },
});
