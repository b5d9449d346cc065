import { knownShape } from '../graph/graph.js';
import { strided } from '../numeric/copy.js';
import { exactQuotient, floorDivDim, mulDim, type Shape } from '../tensor/dim.js';
import { dtypes } from '../tensor/dtype.js';
import { stridesOf } from '../tensor/strides.js';
import { tensor } from '../tensor/tensor.js';
import { channelAxis, shapeIn, spatialOf } from '../typing/window.js';
import { int, oneOf } from './attr.js';
import { defineOp, one } from './define-op.js';
import { layoutAttr } from './families/windowed.js';
import { spatial } from './layout.js';
import { reshape } from './reshape.js';
import { exact } from './rounding.js';
import { transpose } from './transpose.js';

interface Blocks {
  readonly layout: 'channelsFirst' | 'channelsLast';
  readonly blockSize: number;
  readonly mode: 'DCR' | 'CRD';
}

/**
 * Sizes with the channels split into block rows, block columns and depth, the permutation that puts
 * them in place, and the sizes at the end.
 */
function plan(
  shape: Shape,
  { layout, blockSize, mode }: Blocks,
): { split: Shape; perm: readonly number[]; whole: Shape } {
  const [height, width] = spatialOf(layout, shape) as [Shape[0], Shape[0]];
  const channels = shape[channelAxis(layout, 4)]!;
  const depth = exactQuotient(channels, blockSize ** 2) ?? floorDivDim(channels, blockSize ** 2);
  const parts = mode === 'DCR' ? [blockSize, blockSize, depth] : [depth, blockSize, blockSize];
  const whole = shapeIn(layout, shape[0]!, depth, [
    mulDim(height, blockSize),
    mulDim(width, blockSize),
  ]);
  if (layout === 'channelsFirst') {
    return {
      split: [shape[0]!, ...parts, height, width],
      perm: mode === 'DCR' ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3],
      whole,
    };
  }
  return {
    split: [shape[0]!, height, width, ...parts],
    perm: mode === 'DCR' ? [0, 1, 3, 2, 4, 5] : [0, 1, 4, 2, 5, 3],
    whole,
  };
}

/**
 * Channels moved into blocks of space, as ONNX DepthToSpace: channel (row * blockSize + column) *
 * depth + d (DCR) or (d * blockSize + row) * blockSize + column (CRD, pixel shuffle) becomes depth
 * d at that row and column of the block.
 */
export const depthToSpace = defineOp({
  name: 'DepthToSpace',
  summary: 'Moves channels of `x` into square blocks of its two spatial axes.',
  inputs: { x: one(...dtypes) },
  outputs: { y: one(...dtypes) },
  attrs: { layout: layoutAttr(), blockSize: int(), mode: oneOf('DCR', 'CRD') },
  constraints: {
    C1: { says: 'x has four dimensions', holds: ({ x }) => !x.shape || x.shape.length === 4 },
    C2: {
      says: 'the block size is positive and its square divides the channels',
      holds: ({ x }, { layout, blockSize }) => {
        const channels = x.shape?.[channelAxis(layout, 4)];
        return blockSize > 0 && (typeof channels !== 'number' || channels % blockSize ** 2 === 0);
      },
    },
  },
  infer: ({ x }, attrs, { fresh }) => ({
    y: {
      dtype: x.dtype,
      shape: x.shape ? plan(x.shape, attrs).whole : Array.from({ length: 4 }, () => fresh('space')),
    },
  }),
  range: ({ x }) => ({ y: x }),
  evaluate: ({ x }, attrs) => {
    const { split, perm, whole } = plan(x.shape, attrs) as {
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
      inputs: { x: tensor('float32', [1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]) },
      attrs: { layout: 'channelsFirst', blockSize: 2, mode: 'DCR' },
      outputs: { y: tensor('float32', [1, 2, 2, 2], [0, 2, 4, 6, 1, 3, 5, 7]) },
    },
    {
      inputs: { x: tensor('float32', [1, 8, 1, 1], [0, 1, 2, 3, 4, 5, 6, 7]) },
      attrs: { layout: 'channelsFirst', blockSize: 2, mode: 'CRD' },
      outputs: { y: tensor('float32', [1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]) },
    },
    {
      inputs: { x: tensor('float32', [1, 1, 1, 8], [0, 1, 2, 3, 4, 5, 6, 7]) },
      attrs: { layout: 'channelsLast', blockSize: 2, mode: 'DCR' },
      outputs: { y: tensor('float32', [1, 2, 2, 2], [0, 1, 2, 3, 4, 5, 6, 7]) },
    },
  ],
  decompose: ({ x }, attrs, graph) => {
    const { split, perm, whole } = plan(knownShape(x), attrs);
    const parts = graph.add(reshape, { x }, { shape: split }).y;
    const moved = graph.add(transpose, { x: parts }, { perm }).y;
    return { y: graph.add(reshape, { x: moved }, { shape: whole }).y };
  },
});
