import { scalar } from '../building/scalar.js';
import { add } from './add.js';
import { div } from './div.js';
import { equal } from './equal.js';
import { unary } from './families/unary.js';
import { greater } from './greater.js';
import { log } from './log.js';
import { mul } from './mul.js';
import { or } from './or.js';
import { ofElement } from './rounding.js';
import { sub } from './sub.js';
import { where } from './where.js';

/**
 * log(1 + x). The decomposition keeps the digits near 0 by the factor x / ((1 + x) - 1), which is
 * near 1 and carries the rounding of 1 + x (Goldberg 1991, theorem 4).
 */
export const log1p = unary({
  name: 'Log1p',
  summary: 'log(1 + x), accurate near 0.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) y[i] = Math.log1p(x[i]!);
  },
  rounding: ofElement(4),
  examples: [
    [0, 0],
    [Math.E - 1, 1],
    [1e-20, 1e-20],
    [-1, -Infinity],
    [Infinity, Infinity],
  ],
  decompose: (x, graph) => {
    const one = scalar(graph, x.dtype, 1);
    const { y: sum } = graph.add(add, { a: x, b: one }, {});
    const { y: rounded } = graph.add(sub, { a: sum, b: one }, {});
    const { y: isTiny } = graph.add(equal, { a: rounded, b: scalar(graph, x.dtype, 0) }, {});
    const { y: isLarge } = graph.add(greater, { a: x, b: one }, {});
    // Where the quotient would be 0/0 or Inf/Inf, it is 1/1.
    const { y: isPlain } = graph.add(or, { a: isTiny, b: isLarge }, {});
    const { y: above } = graph.add(where, { condition: isPlain, x: one, y: x }, {});
    const { y: below } = graph.add(where, { condition: isPlain, x: one, y: rounded }, {});
    const { y: logarithm } = graph.add(log, { x: sum }, {});
    const { y: corrected } = graph.add(
      mul,
      { a: logarithm, b: graph.add(div, { a: above, b: below }, {}).y },
      {},
    );
    return graph.add(where, { condition: isTiny, x, y: corrected }, {}).y;
  },
});
