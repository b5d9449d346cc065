import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { isAxis, mayEqual } from '../kernels/axes.js';
import { copier, partsOf } from '../kernels/copy.js';
import { movedElements } from '../kernels/moved-elements.js';
import { addDim, type Dim, type Shape } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { allocate, sizeOf, tensor, type Tensor } from '../tensor/tensor.js';
import { hull } from '../tensor/interval.js';
import { int } from './attr.js';
import { defineOp, many, one, type ValueType } from './define-op.js';

/** Tensors one after another along an axis. */
export function concatenated(parts: readonly Tensor[], axis: number): Tensor {
  const { dtype, shape: first } = parts[0]!;
  const fits = parts.every(
    ({ shape }) =>
      shape.length === first.length && shape.every((dim, i) => i === axis || dim === first[i]),
  );
  if (!fits) {
    throw coreDiagnostics.error('invalid-shape', {
      message: `${parts.map(({ shape }) => `[${shape.join(', ')}]`).join(' and ')} do not join along axis ${axis}.`,
      origin: { file: '' },
    });
  }
  const shape = first.map((dim, i) =>
    i === axis ? parts.reduce((sum, part) => sum + part.shape[axis]!, 0) : dim,
  );
  const data = allocate(dtype, sizeOf(shape));
  const sizes = parts.map((part) => sizeOf(part.shape.slice(axis)) * partsOf(dtype));
  const copies = parts.map((part) => copier(part.data, data));
  const outer = sizeOf(shape.slice(0, axis));
  for (let row = 0, at = 0; row < outer; row++) {
    for (let i = 0; i < parts.length; i++) {
      copies[i]!(row * sizes[i]!, 1, at, sizes[i]!);
      at += sizes[i]!;
    }
  }
  return { dtype, shape, data };
}

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
  ulp: () => 0,
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
