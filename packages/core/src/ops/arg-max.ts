import { tensor } from '../tensor/tensor.js';
import { extremeIndex } from './families/extreme-index.js';

/** The place of the largest element along an axis. */
export const argMax = extremeIndex('ArgMax', 'largest', [
  {
    inputs: { x: tensor('float32', [2, 3], [1, 3, 3, 6, -7, NaN]) },
    attrs: { axis: 1, keepdims: false, selectLastIndex: false },
    outputs: { y: tensor('int64', [2], [1, 2]) },
  },
  {
    inputs: { x: tensor('int64', [2, 2], [1, 3, 1, 2]) },
    attrs: { axis: 0, keepdims: true, selectLastIndex: true },
    outputs: { y: tensor('int64', [1, 2], [1, 0]) },
  },
]);
