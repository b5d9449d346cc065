import { floatTypes, type DType } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { add } from './add.js';
import { clip } from './clip.js';
import { exp } from './exp.js';
import { reduction } from './families/reduction.js';
import { log } from './log.js';
import { reduceMax } from './reduce-max.js';
import { reduceSum } from './reduce-sum.js';
import { ofOne } from './rounding.js';
import { squeeze } from './squeeze.js';
import { sub } from './sub.js';

/** The largest finite number of a float type. */
const largest = (dtype: DType) =>
  dtype === 'float64'
    ? Number.MAX_VALUE
    : dtype === 'float16'
      ? 65504
      : dtype === 'bfloat16'
        ? 2 ** 127 * (2 - 2 ** -7)
        : 2 ** 127 * (2 - 2 ** -23);

/** The logarithm of the sum of the exponentials of each group, without overflow. */
export const reduceLogSumExp = reduction({
  name: 'ReduceLogSumExp',
  summary:
    'The natural logarithm of the sum of the exponentials of the elements along `axes`, computed relative to the largest.',
  dtypes: floatTypes,
  f: (x, first, members) => {
    let highest = -Infinity;
    for (let i = 0; i < members.length; i++) {
      const value = x[first + members[i]!]!;
      if (value > highest || Number.isNaN(value)) highest = value;
    }
    if (!Number.isFinite(highest)) return highest;
    let sum = 0;
    for (let i = 0; i < members.length; i++) sum += Math.exp(x[first + members[i]!]! - highest);
    return highest + Math.log(sum);
  },
  rounding: (size) => ofOne(Math.sqrt(size) / 2 + 5),
  examples: [
    {
      inputs: { x: tensor('float64', [3, 2], [0, 0, 1000, 1000, -Infinity, -Infinity]) },
      attrs: { axes: [1], keepdims: false },
      outputs: { y: tensor('float64', [3], [Math.LN2, 1000 + Math.LN2, -Infinity]) },
    },
    {
      inputs: { x: tensor('float32', [2], [Infinity, 0]) },
      attrs: { axes: [0], keepdims: true },
      outputs: { y: tensor('float32', [1], [Infinity]) },
    },
  ],
  decompose: (x, { axes, keepdims }, graph) => {
    const highest = graph.add(reduceMax, { x }, { axes, keepdims: true }).y;
    // An infinite maximum would make infinity minus infinity of its own element.
    const finite = graph.add(
      clip,
      { x: highest },
      { min: -largest(x.dtype), max: largest(x.dtype) },
    ).y;
    const exponentials = graph.add(exp, { x: graph.add(sub, { a: x, b: finite }, {}).y }, {}).y;
    const logarithm = graph.add(
      log,
      { x: graph.add(reduceSum, { x: exponentials }, { axes, keepdims: true }).y },
      {},
    ).y;
    const sum = graph.add(add, { a: logarithm, b: finite }, {}).y;
    return keepdims ? sum : graph.add(squeeze, { x: sum }, { axes }).y;
  },
});
