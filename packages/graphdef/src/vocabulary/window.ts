import { isStatic, type Dim, type Shape, type Value } from '@drover/core';
import { gap, samePadding, spatialOf, type Layout, type Padding } from '@drover/core/format';
import { ints, text, type Attributes } from './attribute.js';
import type { GraphWriter, Operand, Ref } from './graph-writer.js';
import type { SourceNode } from './source-node.js';

/** How windows slide, as core states it. */
export interface Window {
  readonly layout: Layout;
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

/** The layout that a node's data_format states. */
export function layoutOf(node: SourceNode): Layout {
  const format = node.text('data_format', 'NHWC');
  if (format === 'NHWC' || format === 'NDHWC' || format === 'NWC') return 'channelsLast';
  if (format === 'NCHW' || format === 'NCDHW' || format === 'NCW') return 'channelsFirst';
  throw node.unsupported(`its data_format is ${format}`);
}

/** Spatial entries of a list that has one for each dimension; all 1 when the list is empty. */
export function spatialList(
  node: SourceNode,
  name: string,
  layout: Layout,
  rank: number,
): readonly number[] {
  const list = node.ints(name);
  if (list.length === 0) return new Array<number>(rank - 2).fill(1);
  if (list.length !== rank) throw node.unsupported(`its ${name} are ${list.join(', ')}`);
  return spatialOf(layout, list);
}

/** Window attributes. SAME becomes explicit pads where the sizes are known. */
export function windowOf(node: SourceNode, x: Value, kernel: readonly number[]): Window {
  const layout = layoutOf(node);
  const rank = kernel.length + 2;
  const strides = spatialList(node, 'strides', layout, rank);
  const dilations = spatialList(node, 'dilations', layout, rank);
  const padding = node.text('padding');
  const zeros = new Array<number>(2 * kernel.length).fill(0);
  if (padding === 'VALID') return { layout, strides, dilations, padding: 'explicit', pads: zeros };
  if (padding === 'EXPLICIT') {
    const stated = node.ints('explicit_paddings');
    const pairs = spatialOf(
      layout,
      Array.from({ length: rank }, (_, i) => [stated[2 * i] ?? 0, stated[2 * i + 1] ?? 0] as const),
    );
    return {
      layout,
      strides,
      dilations,
      padding: 'explicit',
      pads: [...pairs.map(([begin]) => begin), ...pairs.map(([, end]) => end)],
    };
  }
  if (padding !== 'SAME') throw node.unsupported(`its padding is ${padding}`);
  const sizes = x.shape && spatialOf(layout, x.shape);
  const amounts = kernel.map(
    (size, i) => sizes && samePadding(sizes[i]!, size, strides[i]!, dilations[i]!, 'upper'),
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
  return { layout, strides, dilations, padding: 'sameUpper', pads: zeros };
}

/** A list with an entry for batch and channels around the spatial ones. */
export const around = (spatial: readonly number[]) => ints([1, ...spatial, 1]);

/** Pads of all dimensions, as pairs. */
const pairs = <T extends Dim>(pads: readonly T[]): readonly (readonly [T, T])[] => {
  const half = pads.length / 2;
  return Array.from({ length: half }, (_, i) => [pads[i]!, pads[i + half]!] as const);
};

/** `padding` and `explicit_paddings` of a convolution. */
export function paddingAttributes({ padding, pads }: Pick<Window, 'padding' | 'pads'>): Attributes {
  if (padding === 'sameUpper') return { padding: text('SAME') };
  if (pads.every((pad) => pad === 0)) return { padding: text('VALID') };
  return {
    padding: text('EXPLICIT'),
    explicit_paddings: ints([0, 0, ...pairs(pads).flat(), 0, 0]),
  };
}

/** Zeros (or another value) around the spatial dimensions. */
export function padSpatial(writer: GraphWriter, x: Operand, pads: Shape, value: number): Ref {
  if (pads.every((pad) => pad === 0)) return writer.ref(x);
  const amounts = [[0, 0], ...pairs(pads), [0, 0]].flat();
  const shape = [amounts.length / 2, 2];
  const paddings = isStatic(amounts)
    ? writer.literal('int32', shape, amounts)
    : writer.reshape(writer.dims(amounts), shape);
  return writer.step('PadV2', [x, paddings, writer.scalar(x, value)]);
}

/** Why windows over channels that come first have no form. */
export const channelsLastOnly = gap('TensorFlow.js has its channels in the last dimension');
