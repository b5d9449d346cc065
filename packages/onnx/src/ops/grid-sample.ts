import { ops, type AttrValues, type Value } from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { int, text } from '../vocabulary/attribute.js';
import { Compose } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, wrongLayout, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import { meaningOf } from '../vocabulary/word.js';

/**
 * Centres of pixels (or corners, where aligned) from -1 to 1, turned by a matrix for each image:
 * the last coordinate of the grid is the width's.
 */
const readAffineGrid: ToCore = (node) => {
  const [theta, size] = [node.input(0), node.input(1)];
  const compose = new Compose(node);
  const count = size.shape?.[0];
  if (count !== 4 && count !== 5)
    throw node.unsupported('the number of its dimensions is not known');
  const isAligned = node.int('align_corners', 0) === 1;
  const spatial = count - 2;
  const lengths = Array.from({ length: spatial }, (_, i) =>
    compose.gather(size, compose.scalar('int64', i + 2), 0, `size${i}`),
  );
  const places = lengths.map((length, i) => {
    const float = compose.cast(length, theta.dtype, `float${i}`);
    const one = compose.scalar(theta.dtype, 1);
    const twice = compose.scale(
      compose.cast(compose.count(length, `count${i}`), theta.dtype, `index${i}`),
      2,
      `twice${i}`,
    );
    const [above, below] = isAligned
      ? [twice, compose.binary(ops.Sub, float, one, `last${i}`)]
      : [compose.binary(ops.Add, twice, one, `odd${i}`), float];
    const place = compose.binary(
      ops.Sub,
      compose.binary(ops.Div, above, below, `ratio${i}`),
      one,
      `place${i}`,
    );
    const trailing = Array.from({ length: spatial - i }, (_, j) => j + 1);
    return compose.unsqueeze(place, trailing, `column${i}`);
  });
  const shape = compose.concat(
    [
      ...lengths.map((length, i) => compose.unsqueeze(length, [0], `length${i}`)),
      compose.ints([1]),
    ],
    0,
    'shape',
  );
  const spread = (x: Value, step: string) =>
    node.graph.add(ops.Expand, { x, shape }, { shape: null }, node.step(step)).y;
  const columns = [
    ...places.toReversed().map((place, i) => spread(place, `spread${i}`)),
    spread(compose.scalar(theta.dtype, 1), 'ones'),
  ];
  const points = compose.reshape(
    compose.concat(columns, spatial, 'points'),
    [-1, spatial + 1],
    'flat',
  );
  const turned = compose.binary(
    ops.MatMul,
    points,
    compose.transpose(theta, [0, 2, 1], 'matrix'),
    'turned',
  );
  const images = compose.slice(size, 0, 0, 1, 1, 'images');
  const target = compose.concat(
    [
      images,
      ...lengths.map((length, i) => compose.unsqueeze(length, [0], `side${i}`)),
      compose.ints([spatial]),
    ],
    0,
    'target',
  );
  return node.graph.add(ops.Reshape, { x: turned, shape: target }, { shape: null }, node.options).y;
};

type GridAttrs = AttrValues<(typeof ops.GridSample)['attrs']>;

const gridModes: ReadonlyMap<string, GridAttrs['mode']> = new Map<string, GridAttrs['mode']>([
  ['linear', 'linear'],
  ['bilinear', 'linear'],
  ['cubic', 'cubic'],
  ['bicubic', 'cubic'],
  ['nearest', 'nearest'],
]);

const gridPaddings: ReadonlyMap<string, GridAttrs['padding']> = new Map<
  string,
  GridAttrs['padding']
>([
  ['zeros', 'zeros'],
  ['border', 'border'],
  ['reflection', 'reflection'],
]);

const toCore = {
  AffineGrid: always(readAffineGrid),
  GridSample: always((node) => {
    const mode = meaningOf(node, 'mode', gridModes, 'linear');
    const padding = meaningOf(node, 'padding_mode', gridPaddings, 'zeros');
    const attrs = {
      layout: 'channelsFirst' as const,
      mode,
      padding,
      alignCorners: node.int('align_corners', 0) === 1,
    };
    return node.graph.add(
      ops.GridSample,
      { x: node.input(0), grid: node.input(1) },
      attrs,
      node.options,
    ).y;
  }),
} satisfies ReadRules;

const fromCore = {
  GridSample: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    if (writer.opset < 16) return gap('sampling by a grid needs operator set 16');
    const { mode, padding, alignCorners } = node.attrs;
    // Version 20 renamed the modes and lifted the limit to two spatial dimensions.
    const name = writer.opset >= 20 || mode === 'nearest' ? mode : `bi${mode}`;
    return writer.node(
      'GridSample',
      node.inputs,
      { mode: text(name), padding_mode: text(padding), align_corners: int(alignCorners) },
      node.outputs,
    );
  },
} satisfies Partial<WriteRules<GraphWriter>>;

/** Images sampled at given positions, both directions. */
export const gridSample = { toCore, fromCore };
