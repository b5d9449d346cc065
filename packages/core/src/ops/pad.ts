import { canBe } from '../constraints/same-type.js';
import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import { pickByAxis } from '../numeric/copy.js';
import { addDim, bounds, isStatic } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { hull } from '../tensor/interval.js';
import { sizeOf, tensor, toNumbers, type Tensor } from '../tensor/tensor.js';
import type { ValueType } from '../tensor/value-type.js';
import { movedElements } from '../typing/moved-elements.js';
import { dimsOrOperand, oneOf } from './attr.js';
import { defineOp, one, optional } from './define-op.js';
import { padding } from './layout.js';
import { exact } from './rounding.js';

const modes = oneOf('constant', 'reflect', 'edge', 'wrap', 'symmetric');
type Mode = 'constant' | 'reflect' | 'edge' | 'wrap' | 'symmetric';

/**
 * The index within 0 … size-1 whose element stands at place `at`, which may lie outside; -1 for a
 * constant.
 */
function source(at: number, size: number, mode: Mode): number {
  if (at >= 0 && at < size) return at;
  if (mode === 'constant') return -1;
  if (mode === 'edge') return at < 0 ? 0 : size - 1;
  if (mode === 'wrap') return ((at % size) + size) % size;
  const period = mode === 'symmetric' ? 2 * size : 2 * (size - 1);
  if (period === 0) return 0;
  const place = ((at % period) + period) % period;
  return place < size ? place : period - place - (mode === 'symmetric' ? 1 : 0);
}

function padded(x: Tensor, pads: readonly number[], mode: Mode, value: Tensor | undefined): Tensor {
  const rank = x.shape.length;
  const maps = x.shape.map((dim, axis) => {
    const [begin, end] = [pads[axis]!, pads[axis + rank]!];
    const size = dim + begin + end;
    // Negative pads cut first; what remains is then continued.
    const cut = Math.max(-begin, 0);
    const kept = dim - cut - Math.max(-end, 0);
    if (pads.length !== 2 * rank || size < 0 || (size > 0 && kept <= 0 && mode !== 'constant')) {
      throw coreDiagnostics.error('invalid-shape', {
        message: `[${x.shape.join(', ')}] cannot be padded by [${pads.join(', ')}] (${mode}).`,
        origin: { file: '' },
      });
    }
    return Int32Array.from({ length: size }, (_, i) => {
      const at = source(i - Math.max(begin, 0), kept, mode);
      return at < 0 ? -1 : at + cut;
    });
  });
  return pickByAxis(x, maps, value);
}

const isScalar = ({ shape }: ValueType) =>
  !shape || (isStatic(shape) ? sizeOf(shape) === 1 : shape.length <= 1);

/** A tensor continued beyond its borders. */
export const pad = defineOp({
  name: 'Pad',
  summary:
    '`x` with `pads` more elements before and after each dimension (negative: fewer), all begins, then all ends: a constant (`value`, else zero), the mirror image without or with the border itself (`reflect`, `symmetric`), the border (`edge`) or the other end (`wrap`).',
  inputs: { x: one(...dtypes), pads: optional('int64', 'int32'), value: optional(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { mode: modes, pads: dimsOrOperand('pads') },
  constraints: {
    C1: {
      says: 'the pads are an attribute or an operand',
      holds: (types, { pads }) => (pads === null) === (types.pads !== undefined),
    },
    C2: {
      says: 'the pads are a vector, two for each dimension of x',
      holds: ({ x, pads: operand }, { pads }) =>
        canBe(operand, x.shape && 2 * x.shape.length) &&
        (!pads || !x.shape || pads.length === 2 * x.shape.length),
    },
    C3: {
      says: 'value is one element of the type of x',
      holds: ({ x, value }) => !value || (value.dtype === x.dtype && isScalar(value)),
    },
    C4: {
      says: 'only the mode constant has a value',
      holds: ({ value }, { mode }) => !value || mode === 'constant',
    },
    C5: {
      says: 'no dimension of the result is negative',
      holds: ({ x }, { pads }) =>
        !pads ||
        !x.shape ||
        x.shape.every(
          (dim, axis) =>
            bounds(addDim(dim, addDim(pads[axis]!, pads[axis + x.shape!.length]!)))[1] >= 0,
        ),
    },
  },
  infer: ({ x, pads: operand, value }, { mode, pads }, { fresh }) => {
    const amounts = pads ?? operand?.elements;
    const rank = x.shape?.length ?? 0;
    const shape = x.shape?.map((dim, axis) =>
      amounts ? addDim(dim, addDim(amounts[axis]!, amounts[axis + rank]!)) : fresh('pad'),
    );
    const fill: ValueType = value ?? { dtype: x.dtype, shape: [], elements: x.elements && [0] };
    const elements =
      amounts && isStatic(amounts)
        ? movedElements([x, fill], shape, ([at, blank]) => padded(at!, amounts, mode, blank))
        : undefined;
    return { y: { dtype: x.dtype, shape, elements } };
  },
  range: ({ x, value }, { mode }, types) => ({
    y: mode === 'constant' ? hull(x, types.value ? value : [0n, 0n]) : x,
  }),
  evaluate: ({ x, pads: operand, value }, { mode, pads }) => ({
    y: padded(x, pads ?? Array.from(toNumbers(operand!)), mode, value),
  }),
  layout: padding,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [2, 2], [1, 2, 3, 4]), value: tensor('float32', [], [9]) },
      attrs: { mode: 'constant', pads: [0, 1, 0, -1] },
      outputs: { y: tensor('float32', [2, 2], [9, 1, 9, 3]) },
    },
    {
      inputs: { x: tensor('float32', [1], [5]) },
      attrs: { mode: 'constant', pads: [0, -1] },
      outputs: { y: tensor('float32', [0], []) },
    },
    {
      inputs: { x: tensor('float32', [3], [1, 2, 3]) },
      attrs: { mode: 'reflect', pads: [2, 2] },
      outputs: { y: tensor('float32', [7], [3, 2, 1, 2, 3, 2, 1]) },
    },
    {
      inputs: { x: tensor('float32', [3], [1, 2, 3]) },
      attrs: { mode: 'symmetric', pads: [2, 1] },
      outputs: { y: tensor('float32', [6], [2, 1, 1, 2, 3, 3]) },
    },
    {
      inputs: { x: tensor('int64', [3], [1, 2, 3]), pads: tensor('int64', [2], [1, 2]) },
      attrs: { mode: 'edge', pads: null },
      outputs: { y: tensor('int64', [6], [1, 1, 2, 3, 3, 3]) },
    },
    {
      inputs: { x: tensor('float32', [3], [1, 2, 3]) },
      attrs: { mode: 'wrap', pads: [1, 4] },
      outputs: { y: tensor('float32', [8], [3, 1, 2, 3, 1, 2, 3, 1]) },
    },
  ],
});
