import { scalar } from '../building/scalar.js';
import { add } from './add.js';
import { clip } from './clip.js';
import { div } from './div.js';
import { unary } from './families/unary.js';
import { mul } from './mul.js';
import { ofOne } from './rounding.js';

/** x min(max(x + 3, 0), 6) / 6 (Howard et al. 2019). */
export const hardSwish = unary({
  name: 'HardSwish',
  summary: 'x min(max(x + 3, 0), 6) / 6.',
  loop: (y, x) => {
    for (let i = 0; i < y.length; i++) {
      const v = x[i]!;
      y[i] = (v * Math.min(Math.max(v + 3, 0), 6)) / 6;
    }
  },
  rounding: ofOne(3),
  examples: [
    [0, 0],
    [1, 4 / 6],
    [-1, -2 / 6],
    [-4, 0],
    [5, 5],
  ],
  decompose: (x, graph) => {
    const { y: shifted } = graph.add(add, { a: x, b: scalar(graph, x.dtype, 3) }, {});
    const { y: clipped } = graph.add(clip, { x: shifted }, { min: 0, max: 6 });
    const { y: product } = graph.add(mul, { a: x, b: clipped }, {});
    return graph.add(div, { a: product, b: scalar(graph, x.dtype, 6) }, {}).y;
  },
});
