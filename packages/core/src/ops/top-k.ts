import { isAxis } from '../constraints/axes.js';
import { canBe } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { lanes } from '../numeric/lanes.js';
import { bounds, subDim } from '../tensor/dim.js';
import { numberTypes } from '../tensor/dtype.js';
import { placesIn, sizeInterval } from '../tensor/interval.js';
import { allocate, sizeOf, tensor, toNumbers } from '../tensor/tensor.js';
import { bool, dimsOrOperand, int } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { alongAxis } from './layout.js';
import { exact } from './rounding.js';

/** The largest or smallest elements along an axis. */
export const topK = defineOp({
  name: 'TopK',
  summary:
    'The `k` largest (or smallest) elements along `axis` and their indices, best first when `sorted`, else in any order. Of equal ones the lower index comes first; NaN counts as the largest.',
  inputs: { x: one(...numberTypes), k: optional('int64', 'int32') },
  outputs: { values: one(...numberTypes), indices: one('int64') },
  attrs: { axis: int(), largest: bool(), sorted: bool(), k: dimsOrOperand('k') },
  constraints: {
    C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    C2: {
      says: 'k is an attribute or an operand',
      holds: (types, { k }) => (k === null) === (types.k !== undefined),
    },
    C3: {
      says: 'k is one number, not negative',
      holds: (types, { k }) =>
        (canBe(types.k) || canBe(types.k, 1)) && (!k || (k.length === 1 && bounds(k[0]!)[1] >= 0)),
    },
    C4: {
      says: 'k is at most the dimension of x',
      holds: ({ x }, { axis, k }) =>
        !k || !x.shape || bounds(subDim(x.shape[axis]!, k[0]!))[1] >= 0,
    },
  },
  infer: ({ x, k: operand }, { axis, k }, { fresh }) => {
    const count = (k ?? operand?.elements)?.[0] ?? fresh('k');
    const shape = x.shape?.map((dim, i) => (i === axis ? count : dim));
    return { values: { dtype: x.dtype, shape }, indices: { dtype: 'int64', shape } };
  },
  range: ({ x }, { axis }, types) => ({ values: x, indices: placesIn(types.x.shape?.[axis]) }),
  demands: ({ x }, { axis }) => ({ k: [0n, sizeInterval(x.shape?.[axis])[1]] }),
  evaluate: ({ x, k: operand }, { axis, largest, k }) => {
    const count = k?.[0] ?? toNumbers(operand!)[0]!;
    if (count < 0 || count > x.shape[axis]!) {
      throw coreDiagnostics.error('not-evaluable', {
        message: `There are no ${count} of ${x.shape[axis]} elements.`,
        origin: { file: '' },
      });
    }
    const shape = x.shape.map((dim, i) => (i === axis ? count : dim));
    const values = allocate(x.dtype, sizeOf(shape)) as Float64Array;
    const indices = new BigInt64Array(values.length);
    const from = x.data as Float64Array;
    const inner = sizeOf(x.shape.slice(axis + 1));
    // Only NaN differs from itself.
    const isAbove = (a: number, b: number) => a > b || (a !== a && b === b);
    let lane = 0;
    lanes(x.shape, axis, (first, stride, size) => {
      const order = Array.from({ length: size }, (_, i) => i).sort((i, j) => {
        const [a, b] = [from[first + i * stride]!, from[first + j * stride]!];
        const sign = isAbove(a, b) ? -1 : isAbove(b, a) ? 1 : 0;
        return (largest ? sign : -sign) || i - j;
      });
      const start = Math.floor(lane / inner) * count * inner + (lane % inner);
      for (let i = 0; i < count; i++) {
        values[start + i * inner] = from[first + order[i]! * stride]!;
        indices[start + i * inner] = BigInt(order[i]!);
      }
      lane++;
    });
    return {
      values: { dtype: x.dtype, shape, data: values },
      indices: { dtype: 'int64', shape, data: indices },
    };
  },
  layout: alongAxis('first', 'axis'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 4], [1, 4, 4, 2, -1, -3, NaN, -2]) },
      attrs: { axis: 1, largest: true, sorted: true, k: [2] },
      outputs: {
        values: tensor('float32', [2, 2], [4, 4, NaN, -1]),
        indices: tensor('int64', [2, 2], [1, 2, 2, 0]),
      },
    },
    {
      inputs: { x: tensor('int64', [3, 2], [5, 1, 4, 2, 4, 3]), k: tensor('int64', [1], [2]) },
      attrs: { axis: 0, largest: false, sorted: true, k: null },
      outputs: {
        values: tensor('int64', [2, 2], [4, 1, 4, 2]),
        indices: tensor('int64', [2, 2], [1, 0, 2, 1]),
      },
    },
  ],
});
