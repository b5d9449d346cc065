import { scalar } from '../building/scalar.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { div } from './div.js';
import { unary } from './families/unary.js';

/** x / (1 + |x|). */
export const softsign = unary({
  name: 'Softsign',
  summary: 'x / (1 + |x|).',
  f: (x) => x / (1 + Math.abs(x)),
  ulp: 2,
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
