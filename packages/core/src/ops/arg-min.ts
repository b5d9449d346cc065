import { tensor } from '../tensor/tensor.js';
import { extremeIndex } from './families/extreme-index.js';

/** The place of the smallest element along an axis. */
export const argMin = extremeIndex('ArgMin', 'smallest', [
  {
    inputs: { x: tensor('float32', [2, 3], [1, 1, 3, 6, -7, 0]) },
    attrs: { axis: 1, keepdims: false, selectLastIndex: false },
    outputs: { y: tensor('int64', [2], [0, 1]) },
  },
  {
    inputs: { x: tensor('uint8', [3], [2, 1, 1]) },
    attrs: { axis: 0, keepdims: true, selectLastIndex: true },
    outputs: { y: tensor('int64', [1], [2]) },
  },
]);
