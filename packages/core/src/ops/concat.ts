import { isAxis } from '../constraints/axes.js';
import { mayEqual } from '../constraints/same-type.js';
import { concatenated } from '../numeric/concatenate.js';
import { addDim, type Dim, type Shape } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { hull } from '../tensor/interval.js';
import { tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { movedElements } from '../typing/moved-elements.js';
import { int } from './attr.js';
import { defineOp, many, one } from './define-op.js';
import { alongAxis } from './layout.js';
import { exact } from './rounding.js';

function joinedShape(
  inputs: readonly ValueType[],
  axis: number,
  fresh: () => Dim,
): Shape | undefined {
  const shapes = inputs.flatMap(({ shape }) => (shape ? [shape] : []));
  const total = () =>
    shapes.length < inputs.length ? fresh() : shapes.map((shape) => shape[axis]!).reduce(addDim);
  // Of equal dimensions the one that is a number says most.
  const same = (i: number) =>
    shapes.map((shape) => shape[i]!).reduce((a, b) => (typeof a === 'number' ? a : b));
  return shapes[0]?.map((_, i) => (i === axis ? total() : same(i)));
}

/** Tensors joined along an axis. */
export const concat = defineOp({
  name: 'Concat',
  summary: 'The inputs one after another along `axis`.',
  inputs: { inputs: many(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { axis: int() },
  constraints: {
    C1: { says: 'there is at least one input', holds: ({ inputs }) => inputs.length > 0 },
    C2: {
      says: '0 <= axis < rank of each input',
      holds: ({ inputs }, { axis }) => inputs.every((input) => isAxis(axis, input)),
    },
    C3: {
      says: 'the inputs have one element type',
      holds: ({ inputs }) => inputs.every(({ dtype }) => dtype === inputs[0]!.dtype),
    },
    C4: {
      says: 'the shapes of the inputs agree except along axis',
      holds: ({ inputs }, { axis }) => {
        const [first, ...rest] = inputs.flatMap(({ shape }) => (shape ? [shape] : []));
        return rest.every(
          (shape) =>
            shape.length === first!.length &&
            shape.every((dim, i) => i === axis || mayEqual(dim, first![i]!)),
        );
      },
    },
  },
  infer: ({ inputs }, { axis }, { fresh }) => {
    const shape = joinedShape(inputs, axis, () => fresh('concat'));
    return {
      y: {
        dtype: inputs[0]!.dtype,
        shape,
        elements: movedElements(inputs, shape, (at) => concatenated(at, axis)),
      },
    };
  },
  range: ({ inputs }) => ({ y: hull(...inputs) }),
  demands: ({ inputs }, _, { y }) => ({ inputs: inputs.map(() => y) }),
  evaluate: ({ inputs }, { axis }) => ({ y: concatenated(inputs, axis) }),
  layout: alongAxis('all', 'axis'),
  rounding: exact,
  examples: [
    {
      inputs: {
        inputs: [tensor('float32', [2, 1], [1, 2]), tensor('float32', [2, 2], [3, 4, 5, 6])],
      },
      attrs: { axis: 1 },
      outputs: { y: tensor('float32', [2, 3], [1, 3, 4, 2, 5, 6]) },
    },
    {
      inputs: { inputs: [tensor('string', [1], ['a']), tensor('string', [2], ['b', 'c'])] },
      attrs: { axis: 0 },
      outputs: { y: tensor('string', [3], ['a', 'b', 'c']) },
    },
  ],
});
