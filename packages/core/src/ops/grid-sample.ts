import { couldEqual, sameDType } from '../constraints/same-type.js';
import { sampleByGrid } from '../numeric/grid-sample.js';
import { floatTypes } from '../tensor/dtype.js';
import { tensor } from '../tensor/tensor.js';
import { channelAxis, shapeIn } from '../typing/window.js';
import { bool, oneOf } from './attr.js';
import { defineOp, one } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { ofTerms } from './rounding.js';

/**
 * Values of `x` at the positions of a grid, as ONNX GridSample-22. The grid is [batch, spatial
 * sizes of the result, spatial axes] in either layout; its last dimension names the last spatial
 * axis of `x` first. A position g on an axis of n elements is element (g + 1) / 2 * (n - 1) with
 * `alignCorners`, else ((g + 1) * n - 1) / 2. Nearest rounds half to even; cubic is Keys' kernel
 * with coefficient -0.75. Elements outside `x` are zero, those of the edge (border), or those of
 * `x` folded back at the middle of its outer elements (reflection with `alignCorners`) or at their
 * outer ends.
 */
export const gridSample = defineOp({
  name: 'GridSample',
  summary: 'Samples `x` at the positions of a grid, given from -1 to 1 on each spatial axis.',
  inputs: { x: one(...floatTypes), grid: one(...floatTypes) },
  outputs: { y: one(...floatTypes) },
  attrs: {
    layout: layoutAttr(),
    mode: oneOf('nearest', 'linear', 'cubic'),
    padding: oneOf('zeros', 'border', 'reflection'),
    alignCorners: bool(),
  },
  constraints: {
    C1: {
      says: 'x and the grid have one element type',
      holds: ({ x, grid }) => sameDType(x, grid),
    },
    C2: {
      says: 'x and the grid have one rank of at least three, and the last dimension of the grid is the number of spatial axes',
      holds: ({ x, grid }) => {
        const rank = x.shape?.length ?? grid.shape?.length ?? 3;
        return (
          rank >= 3 &&
          (grid.shape?.length ?? rank) === rank &&
          couldEqual(grid.shape?.at(-1), rank - 2)
        );
      },
    },
    C3: {
      says: 'batch sizes agree',
      holds: ({ x, grid }) => couldEqual(x.shape?.[0], grid.shape?.[0]),
    },
    C4: {
      says: 'x is not empty where the grid is not',
      holds: ({ x, grid }, { layout }) =>
        !x.shape ||
        grid.shape?.slice(1).includes(0) === true ||
        x.shape.every(
          (size, axis) => size !== 0 || axis === 0 || axis === channelAxis(layout, x.shape!.length),
        ),
    },
  },
  infer: ({ x, grid }, { layout }, { fresh }) => {
    const rank = x.shape?.length ?? grid.shape?.length;
    if (rank === undefined) return { y: { dtype: x.dtype, shape: undefined } };
    const channels = x.shape?.[channelAxis(layout, rank)] ?? fresh('grid');
    const positions =
      grid.shape?.slice(1, -1) ?? Array.from({ length: rank - 2 }, () => fresh('grid'));
    return {
      y: {
        dtype: x.dtype,
        shape: shapeIn(layout, x.shape?.[0] ?? grid.shape![0]!, channels, positions),
      },
    };
  },
  evaluate: ({ x, grid }, attrs) => ({ y: sampleByGrid(x, grid, attrs) }),
  // Positions in float32 are off by about their size in units of the last place; the slope of the
  // data turns that into an error.
  layout: spatial,
  rounding: ({ x }) => ofTerms(x.slice(1).reduce((sum, size) => sum + 4 + size / 2, 0)),
  jumps: ({ mode }) => mode === 'nearest',
  examples: [
    {
      inputs: {
        x: tensor('float32', [1, 1, 1, 3], [10, 20, 30]),
        grid: tensor('float32', [1, 1, 3, 2], [-1, 0, 0.5, 0, 2, 0]),
      },
      attrs: { layout: 'channelsFirst', mode: 'linear', padding: 'zeros', alignCorners: true },
      outputs: { y: tensor('float32', [1, 1, 1, 3], [10, 25, 0]) },
    },
    {
      inputs: {
        x: tensor('float32', [1, 1, 3, 1], [10, 20, 30]),
        grid: tensor('float32', [1, 1, 3, 2], [-1, 0, 0.5, 0, 2, 0]),
      },
      attrs: {
        layout: 'channelsLast',
        mode: 'nearest',
        padding: 'reflection',
        alignCorners: false,
      },
      outputs: { y: tensor('float32', [1, 1, 3, 1], [10, 30, 20]) },
    },
  ],
});
