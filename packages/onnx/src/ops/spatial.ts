import {
  addDim,
  floorDivDim,
  isStatic,
  maxDim,
  mulDim,
  isFloat,
  ops,
  toNumbers,
  sameShape,
  subDim,
  type AttrValues,
  type Node,
  type Shape,
  type Value,
} from '@drover/core';
import { gap, samePadding, windowCounts, type Padding, type WriteRules } from '@drover/core/format';
import { int, ints, text } from '../vocabulary/attribute.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import { always, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import type { SourceNode } from '../vocabulary/source-node.js';
import { meaningOf } from '../vocabulary/word.js';

/** How the windows of a convolution or a pool slide, as core states it. */
interface Window {
  readonly layout: 'channelsFirst';
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

const autoPads: ReadonlyMap<string, AutoPad> = new Map<string, AutoPad>([
  ['', 'NOTSET'],
  ['NOTSET', 'NOTSET'],
  ['VALID', 'VALID'],
  ['SAME_UPPER', 'SAME_UPPER'],
  ['SAME_LOWER', 'SAME_LOWER'],
]);

/** Window attributes. `auto_pad` becomes explicit pads where the sizes are known. */
export function windowOf(node: SourceNode, x: Value, kernel: Shape): Window {
  const rank = kernel.length;
  const strides = node.ints('strides') ?? kernel.map(() => 1);
  const dilations = node.ints('dilations') ?? kernel.map(() => 1);
  const zeros = new Array<number>(2 * rank).fill(0);
  const auto = meaningOf(node, 'auto_pad', autoPads, 'NOTSET');
  const stated = node.ints('pads');
  const layout = 'channelsFirst' as const;
  if (strides.length !== rank || dilations.length !== rank) {
    throw node.malformed(
      `it has ${strides.length} strides and ${dilations.length} dilations for ${rank} spatial axes`,
    );
  }
  if (auto === 'NOTSET')
    return { layout, strides, dilations, padding: 'explicit', pads: stated ?? zeros };
  if (auto === 'VALID') return { layout, strides, dilations, padding: 'explicit', pads: zeros };
  const odd = auto === 'SAME_UPPER' ? 'upper' : 'lower';
  const amounts = kernel.map((size, i) =>
    typeof size === 'number' && x.shape?.[i + 2] !== undefined
      ? samePadding(x.shape[i + 2]!, size, strides[i]!, dilations[i]!, odd)
      : undefined,
  );
  if (amounts.every((pair) => pair !== undefined)) {
    return {
      layout,
      strides,
      dilations,
      padding: 'explicit',
      pads: [...amounts.map(([begin]) => begin), ...amounts.map(([, end]) => end)],
    };
  }
  return {
    layout,
    strides,
    dilations,
    padding: odd === 'upper' ? 'sameUpper' : 'sameLower',
    pads: zeros,
  };
}

/**
 * Spatial sizes of a filter: stated or those of the weight, which may not contradict each other.
 */
export function kernelOf(node: SourceNode, w: Value): Shape {
  const stated = node.ints('kernel_shape');
  const given = w.shape?.slice(2);
  if (stated && given?.some((size, i) => typeof size === 'number' && size !== stated[i]))
    throw node.malformed(
      `its kernel_shape is [${stated.join(', ')}], and its filters are [${given.map(String).join(', ')}]`,
    );
  const sizes = stated ?? given;
  if (sizes) return sizes;
  throw node.unsupported('the rank of its filters is not known');
}

const readConv: ToCore = (node) => {
  const [x, w, bias] = [node.input(0), node.input(1), node.optional(2)];
  return node.graph.add(
    ops.Conv,
    { x, w, bias },
    { ...windowOf(node, x, kernelOf(node, w)), groups: node.int('group', 1) },
    node.options,
  ).y;
};

/** Pads are stated, or follow from a stated size of the result, or from SAME. */
const readConvTranspose: ToCore = (node) => {
  const [x, w, bias] = [node.input(0), node.input(1), node.optional(2)];
  const kernel = kernelOf(node, w);
  const strides = node.ints('strides') ?? kernel.map(() => 1);
  const dilations = node.ints('dilations') ?? kernel.map(() => 1);
  const outputPadding = node.ints('output_padding') ?? kernel.map(() => 0);
  const auto = meaningOf(node, 'auto_pad', autoPads, 'NOTSET');
  const stated = node.ints('output_shape');
  const zeros = new Array<number>(2 * kernel.length).fill(0);
  const pads = node.ints('pads') ?? zeros;
  const common = {
    layout: 'channelsFirst' as const,
    strides,
    dilations,
    groups: node.int('group', 1),
  };
  const isSame = auto === 'SAME_UPPER' || auto === 'SAME_LOWER';
  if (!stated && !isSame) {
    const attrs = {
      ...common,
      pads: auto === 'VALID' ? zeros : pads,
      outputPadding,
      outputSizes: null,
    };
    return node.graph.add(ops.ConvTranspose, { x, w, bias }, attrs, node.options).y;
  }
  const from = x.shape?.slice(2);
  if (!from) throw node.unsupported('the rank of its operand is not known');
  const counts = [strides, dilations, outputPadding, from].map(({ length }) => length);
  if (counts.some((count) => count !== kernel.length))
    throw node.malformed(
      `its attributes are for ${counts.join(', ')} spatial axes, and its filters have ${kernel.length}`,
    );
  const sizes: Shape = stated
    ? stated.slice(-kernel.length)
    : from.map((size, i) => mulDim(size, strides[i]!));
  const begins = sizes.map((size, i) => {
    const full = addDim(
      mulDim(subDim(from[i]!, 1), strides[i]!),
      addDim(mulDim(subDim(kernel[i]!, 1), dilations[i]!), outputPadding[i]! + 1),
    );
    const total = maxDim(subDim(full, size), 0);
    return auto === 'SAME_UPPER' ? floorDivDim(total, 2) : subDim(total, floorDivDim(total, 2));
  });
  if (!begins.every((begin) => typeof begin === 'number'))
    throw node.unsupported('its pads depend on a size that is not known');
  const attrs = {
    ...common,
    pads: [...begins, ...begins.map(() => 0)],
    outputPadding: kernel.map(() => 0),
    outputSizes: sizes,
  };
  return node.graph.add(ops.ConvTranspose, { x, w, bias }, attrs, node.options).y;
};

/** Most weights of the convolution that puts blocks together. */
const maxBlockWeights = 2 ** 20;

/**
 * Blocks added up where they overlap: a transposed convolution in which each channel of a block has
 * one element of it as its filter.
 */
const readCol2Im: ToCore = (node) => {
  const x = node.input(0);
  const [image, block] = [1, 2].map((i) => Array.from(toNumbers(node.constant(i)))) as [
    number[],
    number[],
  ];
  const ones = block.map(() => 1);
  const [strides, dilations] = [node.ints('strides') ?? ones, node.ints('dilations') ?? ones];
  const pads = node.ints('pads') ?? [...ones, ...ones].map(() => 0);
  const size = block.reduce((a, b) => a * b, 1);
  const [batch, columns] = shapeOf(node, x);
  if (batch === undefined || typeof columns !== 'number')
    throw node.unsupported('the number of its channels is not known');
  if (!isFloat(x.dtype)) throw node.unsupported(`it adds up ${x.dtype}`);
  if (columns * size > maxBlockWeights)
    throw node.unsupported(`its blocks have ${size} elements in ${columns / size} channels`);
  const counts = image.map((length, i) => {
    const room = length + pads[i]! + pads[i + image.length]! - dilations[i]! * (block[i]! - 1) - 1;
    return Math.floor(room / strides[i]!) + 1;
  });
  const compose = new Compose(node);
  const blocks = compose.reshape(x, [batch, columns, ...counts], 'blocks');
  const filters = Array.from({ length: columns * size }, (_, i) =>
    Math.floor(i / size) % size === i % size ? 1 : 0,
  );
  const w = node.graph.literal(x.dtype, [columns, 1, ...block], filters);
  const attrs = {
    layout: 'channelsFirst' as const,
    strides,
    dilations,
    groups: columns / size,
    pads: [...pads.slice(0, image.length), ...ones.map(() => 0)],
    outputPadding: ones.map(() => 0),
    outputSizes: image,
  };
  return node.graph.add(ops.ConvTranspose, { x: blocks, w }, attrs, node.options).y;
};

function poolAttrs(node: SourceNode, x: Value) {
  node.ignore('storage_order');
  if (node.hasOutput(1)) throw node.unsupported('its indices are used');
  const kernel = node.ints('kernel_shape') ?? [];
  return { kernel, ...windowOf(node, x, kernel), ceil: node.int('ceil_mode', 0) === 1 };
}

const readMaxPool: ToCore = (node) => {
  const x = node.input(0);
  return node.graph.add(ops.MaxPool, { x }, poolAttrs(node, x), node.options).y;
};

const readAveragePool: ToCore = (node) => {
  const x = node.input(0);
  const countIncludePad = node.int('count_include_pad', 0) === 1;
  return node.graph.add(
    ops.AveragePool,
    { x },
    { ...poolAttrs(node, x), countIncludePad },
    node.options,
  ).y;
};

/** A reduction of all spatial axes, which stay with size 1. */
const global =
  (op: typeof ops.ReduceMean): ToCore =>
  (node) => {
    const x = node.input(0);
    if (x.rank === undefined) throw node.unsupported('the rank of its operand is not known');
    return node.graph.add(
      op,
      { x },
      { axes: Array.from({ length: x.rank - 2 }, (_, i) => i + 2), keepdims: true },
      node.options,
    ).y;
  };

/** The p-th root of the sum of p-th powers over all spatial axes. */
const readGlobalLpPool: ToCore = (node) => {
  const p = node.int('p', 2);
  if (p === 1 || p === 2) return global(p === 1 ? ops.ReduceL1 : ops.ReduceL2)(node);
  const x = node.input(0);
  const compose = new Compose(node);
  const powers = compose.binary(
    ops.Pow,
    compose.unary(ops.Abs, x, 'abs'),
    compose.scalar(x.dtype, p),
    'powers',
  );
  const axes = shapeOf(node, x)
    .map((_, i) => i)
    .slice(2);
  const sum = node.graph.add(
    ops.ReduceSum,
    { x: powers },
    { axes, keepdims: true },
    node.step('sum'),
  ).y;
  return compose.binary(ops.Pow, sum, compose.scalar(x.dtype, 1 / p));
};

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

const depthModes: ReadonlyMap<string, 'DCR' | 'CRD'> = new Map<string, 'DCR' | 'CRD'>([
  ['DCR', 'DCR'],
  ['CRD', 'CRD'],
]);

const toCore = {
  AffineGrid: always(readAffineGrid),
  AveragePool: always(readAveragePool),
  Conv: always(readConv),
  Col2Im: always(readCol2Im),
  ConvTranspose: always(readConvTranspose),
  DepthToSpace: always((node) => {
    const mode = meaningOf(node, 'mode', depthModes, 'DCR');
    return node.graph.add(
      ops.DepthToSpace,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('blocksize'), mode },
      node.options,
    ).y;
  }),
  GlobalAveragePool: always(global(ops.ReduceMean)),
  GlobalLpPool: always(readGlobalLpPool),
  GlobalMaxPool: always(global(ops.ReduceMax)),
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
  LpPool: always((node) => {
    const x = node.input(0);
    return node.graph.add(
      ops.LpPool,
      { x },
      { ...poolAttrs(node, x), p: node.int('p', 2) },
      node.options,
    ).y;
  }),
  MaxPool: always(readMaxPool),
  SpaceToDepth: always((node) => {
    if (node.text('mode', 'DCR') !== 'DCR')
      throw node.unsupported('its blocks come after the channels (mode CRD)');
    return node.graph.add(
      ops.SpaceToDepth,
      { x: node.input(0) },
      { layout: 'channelsFirst', blockSize: node.int('blocksize') },
      node.options,
    ).y;
  }),
} satisfies ReadRules;

/** Window attributes as ONNX spells them. */
function windowAttributes({ strides, dilations, padding, pads }: Window) {
  return {
    strides: ints(strides),
    dilations: ints(dilations),
    ...(padding === 'explicit'
      ? { pads: ints(pads) }
      : { auto_pad: text(padding === 'sameUpper' ? 'SAME_UPPER' : 'SAME_LOWER') }),
  };
}

type Pool = Node<typeof ops.MaxPool> | Node<typeof ops.AveragePool> | Node<typeof ops.LpPool>;

/**
 * Whether rounding up makes a difference. Where it does not it is not stated: type inference of
 * ONNX 1.23 counts windows that lie in the padding alone.
 */
function roundsUp({ attrs, inputs }: Pool): boolean {
  const from = inputs[0]?.shape?.slice(2);
  if (!attrs.ceil || !from) return attrs.ceil;
  const [up, down] = [true, false].map((ceil) => windowCounts(from, attrs.kernel, attrs, ceil));
  return !sameShape(up!, down!);
}

/** Average and Lp pools have `dilations` only since versions 19 and 18. */
const poolAttributes = (node: Pool) => ({
  ...windowAttributes(node.attrs as Window),
  dilations: node.attrs.dilations.every((step) => step === 1)
    ? undefined
    : ints(node.attrs.dilations),
  kernel_shape: ints(node.attrs.kernel),
  ceil_mode: roundsUp(node) ? int(1) : undefined,
});

const wrongLayout = gap('ONNX has its channels in dimension 1');

const fromCore = {
  AveragePool: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    if (node.attrs.dilations.some((step) => step !== 1) && writer.opset < 19)
      return gap('dilated average pooling needs operator set 19');
    return writer.node(
      'AveragePool',
      node.inputs,
      { ...poolAttributes(node), count_include_pad: int(node.attrs.countIncludePad) },
      node.outputs,
    );
  },
  Conv: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    const kernel = node.operands.w.shape?.slice(2);
    const attributes = {
      ...windowAttributes(node.attrs as Window),
      kernel_shape: kernel && isStatic(kernel) ? ints(kernel) : undefined,
    };
    return writer.node(
      'Conv',
      node.inputs,
      { ...attributes, group: int(node.attrs.groups) },
      node.outputs,
    );
  },
  ConvTranspose: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    const { x, w, bias } = node.operands;
    const { strides, dilations, outputPadding, pads, groups, outputSizes } = node.attrs;
    const kernel = w.shape?.slice(2);
    if (!kernel || !isStatic(kernel)) return gap('the size of its filters is not known');
    let padding = { pads, outputPadding };
    if (outputSizes || node.operands.outputSizes) {
      // A stated size is what ends the result: the end pads, or padding of the output, follow from
      // it.
      const ends = (outputSizes ?? []).map((size, i) => {
        const from = x.shape?.[i + 2];
        return from === undefined
          ? undefined
          : subDim(
              addDim(
                mulDim(subDim(from, 1), strides[i]!),
                (kernel[i]! - 1) * dilations[i]! + 1 - pads[i]!,
              ),
              size,
            );
      });
      if (ends.length === 0 || !ends.every((end) => typeof end === 'number'))
        return gap('the size of its result depends on sizes that are not known');
      padding = {
        pads: [...pads.slice(0, strides.length), ...ends.map((end) => Math.max(end, 0))],
        outputPadding: ends.map((end) => Math.max(-end, 0)),
      };
    }
    const attributes = {
      strides: ints(strides),
      dilations: ints(dilations),
      pads: ints(padding.pads),
      output_padding: ints(padding.outputPadding),
    };
    return writer.node(
      'ConvTranspose',
      [x, w, bias],
      { ...attributes, kernel_shape: ints(kernel), group: int(groups) },
      node.outputs,
    );
  },
  DepthToSpace: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    return writer.node(
      'DepthToSpace',
      node.inputs,
      { blocksize: int(node.attrs.blockSize), mode: text(node.attrs.mode) },
      node.outputs,
    );
  },
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
  LpPool: (node, writer) => {
    if (node.attrs.layout !== 'channelsFirst') return wrongLayout;
    const isPlain = !node.attrs.ceil && node.attrs.dilations.every((step) => step === 1);
    if (!isPlain && writer.opset < 18)
      return gap('dilated or rounded-up Lp pooling needs operator set 18');
    return writer.node(
      'LpPool',
      node.inputs,
      { ...poolAttributes(node), p: int(node.attrs.p) },
      node.outputs,
    );
  },
  MaxPool: (node, writer) =>
    node.attrs.layout === 'channelsFirst'
      ? writer.node('MaxPool', node.inputs, poolAttributes(node), node.outputs)
      : wrongLayout,
  SpaceToDepth: (node, writer) =>
    node.attrs.layout === 'channelsFirst'
      ? writer.node(
          'SpaceToDepth',
          node.inputs,
          { blocksize: int(node.attrs.blockSize) },
          node.outputs,
        )
      : wrongLayout,
} satisfies Partial<WriteRules<GraphWriter>>;

/** Operators over spatial dimensions, both directions. */
export const spatial = { toCore, fromCore };
