import { areAxes } from '../constraints/axes.js';
import { canBe } from '../constraints/same-type.js';
import { strided } from '../numeric/copy.js';
import { isStatic } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { movedElements } from '../typing/moved-elements.js';
import { sliceRange, sliceSize } from '../typing/slice-bounds.js';
import { dimsOrOperand, ints } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { alongAxes } from './layout.js';
import { exact } from './rounding.js';

/**
 * The end of a slice that runs to the last index (or, with a negative step, negated, to the first):
 * the largest integer that an attribute holds. ONNX spells it INT64_MAX, which an attribute cannot
 * hold.
 */
export const sliceEnd = Number.MAX_SAFE_INTEGER;

interface Cut {
  readonly axes: readonly number[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  readonly steps: readonly number[];
}

function sliced(x: Tensor, { axes, starts, ends, steps }: Cut): Tensor {
  const strides = stridesOf(x.shape);
  const shape = [...x.shape];
  let from = 0;
  axes.forEach((axis, i) => {
    const { first, count } = sliceRange(x.shape[axis]!, starts[i]!, ends[i]!, steps[i]!);
    shape[axis] = count;
    from += first * strides[axis]!;
    strides[axis]! *= steps[i]!;
  });
  return strided(x, shape, strides, from);
}

/** Every step-th index between bounds, along some axes. */
export const slice = defineOp({
  name: 'Slice',
  summary:
    'Along each of `axes` the indices start, start + step, … before end. Negative bounds count from the end; bounds beyond the dimension are clamped to it.',
  inputs: {
    x: one(...dtypes),
    starts: optional('int64', 'int32'),
    ends: optional('int64', 'int32'),
  },
  outputs: { y: one(...dtypes) },
  attrs: {
    axes: ints(),
    starts: dimsOrOperand('starts'),
    ends: dimsOrOperand('ends'),
    steps: ints(),
  },
  constraints: {
    C1: {
      says: 'axes are different dimensions of x',
      holds: ({ x }, { axes }) => areAxes(axes, x),
    },
    C2: {
      says: 'starts are an attribute or an operand, and so are ends',
      holds: (types, { starts, ends }) =>
        (starts === null) === (types.starts !== undefined) &&
        (ends === null) === (types.ends !== undefined),
    },
    C3: {
      says: 'there are as many starts, ends and steps as axes',
      holds: (types, { axes, starts, ends, steps }) =>
        steps.length === axes.length &&
        [starts, ends].every((list) => !list || list.length === axes.length) &&
        [types.starts, types.ends].every((operand) => canBe(operand, axes.length)),
    },
    C4: { says: 'no step is 0', holds: (_, { steps }) => !steps.includes(0) },
  },
  infer: (
    { x, starts: startsOperand, ends: endsOperand },
    { axes, starts, ends, steps },
    { fresh },
  ) => {
    const [from, to] = [starts ?? startsOperand?.elements, ends ?? endsOperand?.elements];
    const shape = x.shape?.map((dim, axis) => {
      const i = axes.indexOf(axis);
      if (i < 0) return dim;
      return (from && to && sliceSize(dim, from[i]!, to[i]!, steps[i]!)) ?? fresh('slice');
    });
    const elements =
      from && to && isStatic(from) && isStatic(to)
        ? movedElements([x], shape, ([at]) => sliced(at!, { axes, starts: from, ends: to, steps }))
        : undefined;
    return { y: { dtype: x.dtype, shape, elements } };
  },
  range: ({ x }) => ({ y: x }),
  evaluate: ({ x, starts: startsOperand, ends: endsOperand }, { axes, starts, ends, steps }) => ({
    y: sliced(x, {
      axes,
      starts: starts ?? Array.from(toNumbers(startsOperand!)),
      ends: ends ?? Array.from(toNumbers(endsOperand!)),
      steps,
    }),
  }),
  layout: alongAxes,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) },
      attrs: { axes: [0, 1], starts: [1, 0], ends: [2, 3], steps: [1, 2] },
      outputs: { y: tensor('float32', [1, 2], [5, 7]) },
    },
    {
      inputs: { x: tensor('float32', [2, 4], [1, 2, 3, 4, 5, 6, 7, 8]) },
      attrs: { axes: [1], starts: [-1], ends: [-sliceEnd], steps: [-3] },
      outputs: { y: tensor('float32', [2, 2], [4, 1, 8, 5]) },
    },
    {
      inputs: {
        x: tensor('int32', [3], [1, 2, 3]),
        starts: tensor('int64', [1], [-9]),
        ends: tensor('int64', [1], [2]),
      },
      attrs: { axes: [0], starts: null, ends: null, steps: [1] },
      outputs: { y: tensor('int32', [2], [1, 2]) },
    },
  ],
});
