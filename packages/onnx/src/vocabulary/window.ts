import type { Shape, Value } from '@drover/core';
import { samePadding, type Padding } from '@drover/core/format';
import { ints, text } from './attribute.js';
import type { SourceNode } from './source-node.js';
import { meaningOf } from './word.js';

/** How the windows of a convolution or a pool slide, as core states it. */
export interface Window {
  readonly layout: 'channelsFirst';
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

type AutoPad = 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER';

/** What the words of `auto_pad` mean. */
export const autoPads: ReadonlyMap<string, AutoPad> = new Map<string, AutoPad>([
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

/** Window attributes as ONNX spells them. */
export function windowAttributes({ strides, dilations, padding, pads }: Window) {
  return {
    strides: ints(strides),
    dilations: ints(dilations),
    ...(padding === 'explicit'
      ? { pads: ints(pads) }
      : { auto_pad: text(padding === 'sameUpper' ? 'SAME_UPPER' : 'SAME_LOWER') }),
  };
}
