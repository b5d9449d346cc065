import { isAxis } from '../constraints/axes.js';
import { mayEqual } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { pickElements } from '../numeric/copy.js';
import { dtypes } from '../tensor/dtype.js';
import { sizeInterval } from '../tensor/interval.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { exact } from './rounding.js';

/** The beginning of each sequence of a batch turned round. */
export const reverseSequence = defineOp({
  name: 'ReverseSequence',
  summary:
    'For each index b along `batchAxis` the first lengths[b] indices along `timeAxis` in the opposite order; the rest stays.',
  inputs: { x: one(...dtypes), lengths: one('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { timeAxis: int(), batchAxis: int() },
  constraints: {
    C1: {
      says: 'timeAxis and batchAxis are different dimensions of x',
      holds: ({ x }, { timeAxis, batchAxis }) =>
        timeAxis !== batchAxis && isAxis(timeAxis, x) && isAxis(batchAxis, x),
    },
    C2: {
      says: 'lengths is a vector with one length for each index along batchAxis',
      holds: ({ x, lengths }, { batchAxis }) =>
        !lengths.shape ||
        (lengths.shape.length === 1 &&
          (!x.shape || mayEqual(lengths.shape[0]!, x.shape[batchAxis]!))),
    },
  },
  infer: ({ x }) => ({ y: { dtype: x.dtype, shape: x.shape } }),
  range: ({ x }) => ({ y: x }),
  demands: ({ x }, { timeAxis }) => ({
    lengths: [0n, sizeInterval(x.shape?.[timeAxis])[1]],
  }),
  evaluate: ({ x, lengths }, { timeAxis, batchAxis }) => {
    const strides = stridesOf(x.shape);
    const counts = toNumbers(lengths);
    const [time, batch] = [strides[timeAxis]!, strides[batchAxis]!];
    const [steps, size] = [x.shape[timeAxis]!, x.shape[batchAxis]!];
    if (counts.length !== size || counts.some((count) => count < 0 || count > steps)) {
      throw coreDiagnostics.error('not-evaluable', {
        message: `The lengths ${counts.join(', ')} do not fit ${size} sequences of ${steps}.`,
        origin: { file: '' },
      });
    }
    const pick = (at: number) => {
      const step = Math.floor(at / time) % steps;
      const count = counts[Math.floor(at / batch) % size]!;
      return step < count ? at + (count - 1 - 2 * step) * time : at;
    };
    return { y: pickElements(x, x.shape, pick) };
  },
  layout: alongAxis('first', 'timeAxis', 'batchAxis'),
  rounding: exact,
  examples: [
    {
      inputs: {
        x: tensor('float32', [2, 3], [1, 2, 3, 4, 5, 6]),
        lengths: tensor('int64', [2], [2, 3]),
      },
      attrs: { timeAxis: 1, batchAxis: 0 },
      outputs: { y: tensor('float32', [2, 3], [2, 1, 3, 6, 5, 4]) },
    },
  ],
});
