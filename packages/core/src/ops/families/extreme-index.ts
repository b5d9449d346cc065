import { isAxis } from '../../constraints/axes.js';
import { coreDiagnostics } from '../../diagnostics/core-diagnostics.js';
import { lanes } from '../../numeric/lanes.js';
import { numberTypes } from '../../tensor/dtype.js';
import { placesIn } from '../../tensor/interval.js';
import { reducedShape } from '../../typing/reduced.js';
import { bool, int } from '../attr.js';
import { defineOp, one, type Example } from '../define-op.js';
import { reducing } from '../layout.js';
import { exact } from '../rounding.js';

/** An operator that gives the place of the largest (or smallest) element along an axis. */
export function extremeIndex(
  name: string,
  which: 'largest' | 'smallest',
  examples: readonly Example[],
) {
  // NaN wins over every number, as in NumPy and PyTorch.
  const beats = (x: number | bigint, y: number | bigint, orEqual: boolean) =>
    y === y && (x !== x || (which === 'largest' ? x > y : x < y) || (orEqual && x === y));
  return defineOp({
    name,
    summary: `The index of the ${which} element along \`axis\`; of equal ones the first, or with \`selectLastIndex\` the last. NaN counts as the ${which}.`,
    inputs: { x: one(...numberTypes) },
    outputs: { y: one('int64') },
    attrs: { axis: int(), keepdims: bool(), selectLastIndex: bool() },
    constraints: {
      C1: { says: '0 <= axis < rank(x)', holds: ({ x }, { axis }) => isAxis(axis, x) },
    },
    infer: ({ x }, { axis, keepdims }) => ({
      y: { dtype: 'int64', shape: x.shape && reducedShape(x.shape, [axis], keepdims) },
    }),
    range: (_, { axis }, { x }) => ({ y: placesIn(x.shape?.[axis]) }),
    evaluate: ({ x }, { axis, keepdims, selectLastIndex }) => {
      const from = x.data as Float64Array | BigInt64Array;
      const found: number[] = [];
      lanes(x.shape, axis, (first, stride, size) => {
        if (size === 0)
          throw coreDiagnostics.error('not-evaluable', {
            message: `None of no elements is the ${which}.`,
            origin: { file: '' },
          });
        let best = 0;
        for (let i = 1; i < size; i++)
          if (beats(from[first + i * stride]!, from[first + best * stride]!, selectLastIndex))
            best = i;
        found.push(best);
      });
      return {
        y: {
          dtype: 'int64',
          shape: reducedShape(x.shape, [axis], keepdims),
          data: BigInt64Array.from(found, BigInt),
        },
      };
    },
    layout: reducing('axis'),
    rounding: exact,
    examples,
  });
}
