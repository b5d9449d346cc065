import { canBe, couldEqual, sameDType } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { overlap } from '../numeric/overlap.js';
import { bounds } from '../tensor/dim.js';
import { floatTypes } from '../tensor/dtype.js';
import { placesIn } from '../tensor/interval.js';
import { tensor, toNumbers } from '../tensor/tensor.js';
import { dimsOrOperand, float } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { fixed } from './layout.js';
import { exact } from './rounding.js';

/**
 * Boxes taken one after the other, best score first, that overlap none taken before by more than a
 * threshold: ONNX NonMaxSuppression-11 for one class of one image, and TensorFlow's
 * NonMaxSuppressionV3. A row of `boxes` is two opposite corners (y, x, y, x) in any order. Of equal
 * scores the lower index comes first.
 */
export const nonMaxSuppression = defineOp({
  name: 'NonMaxSuppression',
  summary:
    'Indices of at most `count` boxes, best of `scores` first: those with a score above `scoreThreshold` that share with each one taken before at most `iouThreshold` of the area that both cover.',
  inputs: {
    boxes: one(...floatTypes),
    scores: one(...floatTypes),
    count: optional('int64', 'int32'),
  },
  outputs: { indices: one('int64') },
  attrs: { iouThreshold: float(), scoreThreshold: float(), count: dimsOrOperand('count') },
  constraints: {
    C1: {
      says: 'boxes and scores have one element type',
      holds: ({ boxes, scores }) => sameDType(boxes, scores),
    },
    C2: {
      says: 'boxes are rows of four numbers',
      holds: ({ boxes }) =>
        !boxes.shape || (boxes.shape.length === 2 && couldEqual(boxes.shape[1], 4)),
    },
    C3: {
      says: 'there is a score for each box',
      holds: ({ boxes, scores }) =>
        !scores.shape ||
        (scores.shape.length === 1 && couldEqual(scores.shape[0], boxes.shape?.[0])),
    },
    C4: {
      says: 'count is an attribute or an operand',
      holds: (types, { count }) => (count === null) === (types.count !== undefined),
    },
    C5: {
      says: 'count is one number, not negative',
      holds: (types, { count }) =>
        (canBe(types.count) || canBe(types.count, 1)) &&
        (!count || (count.length === 1 && bounds(count[0]!)[1] >= 0)),
    },
  },
  infer: (_, __, { fresh }) => ({ indices: { dtype: 'int64', shape: [fresh('boxes')] } }),
  range: (_, __, { boxes }) => ({ indices: placesIn(boxes.shape?.[0]) }),
  evaluate: ({ boxes, scores, count: operand }, { iouThreshold, scoreThreshold, count }) => {
    const most = count?.[0] ?? toNumbers(operand!)[0]!;
    if (most < 0) {
      throw coreDiagnostics.error('not-evaluable', {
        message: `There are no ${most} boxes.`,
        origin: { file: '' },
      });
    }
    const [rows, values] = [toNumbers(boxes), toNumbers(scores)];
    const order = Array.from(values, (_, i) => i).filter((i) => values[i]! > scoreThreshold);
    order.sort((i, j) => values[j]! - values[i]! || i - j);
    const taken: number[] = [];
    for (const box of order) {
      if (taken.length >= most) break;
      if (taken.every((other) => overlap(rows, box, other) <= iouThreshold)) taken.push(box);
    }
    return { indices: tensor('int64', [taken.length], taken) };
  },
  layout: fixed('boxes and scores have no layout'),
  rounding: exact,
  examples: [
    {
      // The second box shares 0.9 of 1.1 with the first, the third touches it; the fourth has too
      // low a score.
      inputs: {
        boxes: tensor('float32', [4, 4], [0, 0, 1, 1, 1, 1.1, 0, 0.1, 1, 0, 2, 1, 3, 3, 4, 4]),
        scores: tensor('float32', [4], [0.9, 0.8, 0.95, 0.1]),
      },
      attrs: { iouThreshold: 0.5, scoreThreshold: 0.25, count: [3] },
      outputs: { indices: tensor('int64', [2], [2, 0]) },
    },
    {
      inputs: {
        boxes: tensor('float32', [3, 4], [0, 0, 1, 1, 0, 0, 1, 1, 5, 5, 6, 6]),
        scores: tensor('float32', [3], [1, 1, 0.5]),
        count: tensor('int64', [], [1]),
      },
      attrs: { iouThreshold: 0.5, scoreThreshold: -Infinity, count: null },
      outputs: { indices: tensor('int64', [1], [0]) },
    },
  ],
});
