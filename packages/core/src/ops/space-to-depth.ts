import { knownShape } from '../graph/graph.js';
import { strided } from '../numeric/copy.js';
import { floorDivDim, mulDim, type Shape } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor } from '../tensor/tensor.js';
import { channelAxis, shapeIn, spatialOf } from '../typing/window.js';
import { int } from './attr.js';
import { defineOp, one } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { reshape } from './reshape.js';
import { exact } from './rounding.js';
import { transpose } from './transpose.js';

/**
 * Sizes with blocks split off the spatial axes, the permutation that puts them in place, and the
 * sizes at the end.
 */
function plan(
  shape: Shape,
  layout: 'channelsFirst' | 'channelsLast',
  block: number,
): { split: Shape; perm: readonly number[]; whole: Shape } {
  const [height, width] = spatialOf(layout, shape).map((size) => floorDivDim(size, block)) as [
    Shape[0],
    Shape[0],
  ];
  const channels = shape[channelAxis(layout, 4)]!;
  const whole = shapeIn(layout, shape[0]!, mulDim(channels, block ** 2), [height, width]);
  return layout === 'channelsFirst'
    ? { split: [shape[0]!, channels, height, block, width, block], perm: [0, 3, 5, 1, 2, 4], whole }
    : {
        split: [shape[0]!, height, block, width, block, channels],
        perm: [0, 1, 3, 2, 4, 5],
        whole,
      };
}

/**
 * Square blocks of space moved into channels, as ONNX and TensorFlow SpaceToDepth: depth d at a row
 * and column of the block becomes channel (row * blockSize + column) * depth + d.
 */
export const spaceToDepth = defineOp({
  name: 'SpaceToDepth',
  summary: 'Moves square blocks of the two spatial axes of `x` into its channels.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { layout: layoutAttr(), blockSize: int() },
  constraints: {
    C1: { says: 'x has four dimensions', holds: ({ x }) => !x.shape || x.shape.length === 4 },
    C2: {
      says: 'the block size is positive and divides the spatial sizes',
      holds: ({ x }, { layout, blockSize }) =>
        blockSize > 0 &&
        (!x.shape ||
          spatialOf(layout, x.shape).every(
            (size) => typeof size !== 'number' || size % blockSize === 0,
          )),
    },
  },
  infer: ({ x }, { layout, blockSize }, { fresh }) => ({
    y: {
      dtype: x.dtype,
      shape: x.shape
        ? plan(x.shape, layout, blockSize).whole
        : Array.from({ length: 4 }, () => fresh('depth')),
    },
  }),
  range: ({ x }) => ({ y: x }),
  evaluate: ({ x }, { layout, blockSize }) => {
    const { split, perm, whole } = plan(x.shape, layout, blockSize) as {
      split: number[];
      perm: number[];
      whole: number[];
    };
    const strides = stridesOf(split);
    return {
      y: {
        ...strided(
          x,
          perm.map((p) => split[p]!),
          perm.map((p) => strides[p]!),
        ),
        shape: whole,
      },
    };
  },
  layout: spatial,
  rounding: exact,
  examples: [
    {
      inputs: { x: tensor('float32', [1, 2, 2, 2], [0, 2, 4, 6, 1, 3, 5, 7]) },
      attrs: { layout: 'channelsFirst', blockSize: 2 },
      outputs: { y: tensor('float32', [1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]) },
    },
    {
      inputs: { x: tensor('float32', [1, 2, 4, 1], [1, 2, 3, 4, 5, 6, 7, 8]) },
      attrs: { layout: 'channelsLast', blockSize: 2 },
      outputs: { y: tensor('float32', [1, 1, 2, 4], [1, 2, 5, 6, 3, 4, 7, 8]) },
    },
  ],
  decompose: ({ x }, { layout, blockSize }, graph) => {
    const { split, perm, whole } = plan(knownShape(x), layout, blockSize);
    const parts = graph.add(reshape, { x }, { shape: split }).y;
    const moved = graph.add(transpose, { x: parts }, { perm }).y;
    return { y: graph.add(reshape, { x: moved }, { shape: whole }).y };
  },
});
