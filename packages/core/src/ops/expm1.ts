import { scalar } from '../building/scalar.js';
import { add } from './add.js';
import { exp } from './exp.js';
import { unary } from './families/unary.js';
import { mul } from './mul.js';
import { ofElement } from './rounding.js';
import { tanh } from './tanh.js';

/** e^x - 1. Its decomposition tanh(x/2) (e^x + 1) keeps the digits near 0, which e^x - 1 loses. */
export const expm1 = unary({
  name: 'Expm1',
  summary: 'e^x - 1, accurate near 0.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.expm1(x[i]!);
  },
  rounding: ofElement(3),
  examples: [
    [0, 0],
    [Math.log(3), 2],
    [1e-20, 1e-20],
    [-Infinity, -1],
    [Infinity, Infinity],
  ],
  decompose: (x, graph) => {
    const { y: half } = graph.add(mul, { a: x, b: scalar(graph, x.dtype, 0.5) }, {});
    const { y: power } = graph.add(exp, { x }, {});
    const { y: plusOne } = graph.add(add, { a: power, b: scalar(graph, x.dtype, 1) }, {});
    return graph.add(mul, { a: graph.add(tanh, { x: half }, {}).y, b: plusOne }, {}).y;
  },
});
