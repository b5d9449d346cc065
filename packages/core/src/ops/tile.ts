import { canBe } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { strided } from '../numeric/copy.js';
import { bounds, isStatic, mulDim } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import { movedElements } from '../typing/moved-elements.js';
import { dimsOrOperand } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { perDimension } from './layout.js';
import { exact } from './rounding.js';

function tiled(x: Tensor, repeats: readonly number[]): Tensor {
  if (repeats.length !== x.shape.length || repeats.some((count) => count < 0)) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `[${x.shape.join(', ')}] cannot be repeated [${repeats.join(', ')}] times.`,
      origin: { file: '' },
    });
  }
  const strides = stridesOf(x.shape);
  // Each dimension becomes two: the repetition, which stands still, and the dimension itself.
  const whole = strided(
    x,
    x.shape.flatMap((dim, i) => [repeats[i]!, dim]),
    strides.flatMap((stride) => [0, stride]),
  );
  return { ...whole, shape: x.shape.map((dim, i) => dim * repeats[i]!) };
}

/** A tensor repeated along each dimension. */
export const tile = defineOp({
  name: 'Tile',
  summary: '`x` repeated as a whole along each dimension.',
  inputs: { x: one(...dtypes), repeats: optional('int64', 'int32') },
  outputs: { y: one(...dtypes) },
  attrs: { repeats: dimsOrOperand('repeats') },
  constraints: {
    C1: {
      says: 'the repeats are an attribute or an operand, which is a vector with one for each dimension of x',
      holds: (types, { repeats }) =>
        (repeats === null) === (types.repeats !== undefined) &&
        canBe(types.repeats, types.x.shape?.length),
    },
    C2: {
      says: 'there is one repeat for each dimension of x',
      holds: ({ x }, { repeats }) => !repeats || !x.shape || repeats.length === x.shape.length,
    },
    C3: {
      says: 'no repeat is negative',
      holds: (_, { repeats }) => !repeats || repeats.every((count) => bounds(count)[1] >= 0),
    },
  },
  infer: ({ x, repeats: operand }, { repeats }, { fresh }) => {
    const counts = repeats ?? operand?.elements;
    const shape = x.shape?.map((dim, i) => (counts ? mulDim(dim, counts[i]!) : fresh('tile')));
    const elements =
      counts && isStatic(counts)
        ? movedElements([x], shape, ([at]) => tiled(at!, counts))
        : undefined;
    return { y: { dtype: x.dtype, shape, elements } };
  },
  range: ({ x }) => ({ y: x }),
  evaluate: ({ x, repeats: operand }, { repeats }) => ({
    y: tiled(x, repeats ?? Array.from(toNumbers(operand!))),
  }),
  layout: perDimension('repeats'),
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, 2, 3, 4]) },
      attrs: { repeats: [2, 2] },
      outputs: { y: tensor('float32', [4, 4], [1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4]) },
    },
  ],
});
