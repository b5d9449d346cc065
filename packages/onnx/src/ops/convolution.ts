import {
  addDim,
  floorDivDim,
  isFloat,
  isStatic,
  maxDim,
  mulDim,
  ops,
  subDim,
  toNumbers,
  type Shape,
} from '@drover/core';
import { gap, type WriteRules } from '@drover/core/format';
import { int, ints } from '../vocabulary/attribute.js';
import { Compose, shapeOf } from '../vocabulary/compose.js';
import type { GraphWriter } from '../vocabulary/graph-writer.js';
import { always, wrongLayout, type ReadRules, type ToCore } from '../vocabulary/rule.js';
import {
  autoPads,
  kernelOf,
  windowAttributes,
  windowOf,
  type Window,
} from '../vocabulary/window.js';
import { meaningOf } from '../vocabulary/word.js';

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

const toCore = {
  Col2Im: always(readCol2Im),
  Conv: always(readConv),
  ConvTranspose: always(readConvTranspose),
} satisfies ReadRules;

const fromCore = {
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
} satisfies Partial<WriteRules<GraphWriter>>;

/** Convolutions and transposed convolutions, both directions. */
export const convolution = { toCore, fromCore };
