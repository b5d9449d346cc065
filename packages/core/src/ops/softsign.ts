import { scalar } from '../building/scalar.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { div } from './div.js';
import { unary } from './families/unary.js';
import { ofElement } from './rounding.js';

/** x / (1 + |x|). */
export const softsign = unary({
  name: 'Softsign',
  summary: 'x / (1 + |x|).',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) {
      const v = x[i]!;
      y[i] = v / (1 + Math.abs(v));
    }
  },
  rounding: ofElement(2),
  examples: [
    [0, 0],
    [1, 0.5],
    [-3, -0.75],
  ],
  decompose: (x, graph) => {
    const { y: magnitude } = graph.add(abs, { x }, {});
    const { y: divisor } = graph.add(add, { a: magnitude, b: scalar(graph, x.dtype, 1) }, {});
    return graph.add(div, { a: x, b: divisor }, {}).y;
  },
});
