import { unary } from './families/unary.js';
import { mul } from './mul.js';
import { ofTerms } from './rounding.js';
import { softplus } from './softplus.js';
import { tanh } from './tanh.js';

/** x tanh(softplus(x)) (Misra 2019). With e = e^x it is x (e² + 2e) / (e² + 2e + 2). */
export const mish = unary({
  name: 'Mish',
  summary: 'x tanh(log(1 + e^x)).',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) {
      const v = x[i]!;
      y[i] = v * Math.tanh(Math.max(v, 0) + Math.log1p(Math.exp(-Math.abs(v))));
    }
  },
  rounding: ofTerms(6),
  examples: [
    [0, 0],
    [Math.log(2), Math.log(2) * 0.8],
    [-Math.log(2), (-Math.log(2) * 5) / 13],
  ],
  decompose: (x, graph) =>
    graph.add(mul, { a: x, b: graph.add(tanh, { x: graph.add(softplus, { x }, {}).y }, {}).y }, {})
      .y,
});
