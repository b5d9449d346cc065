import type { Value } from '@drover/core';
import { gap, samePadding, type Layout, type Padding } from '@drover/core/format';
import type { GraphWriter, Operand } from './graph-writer.js';
import type { SourceNode } from './source-node.js';

/** The layout that a node states; channels first unless it does. */
export function layoutOf(node: SourceNode): Layout {
  const layout = node.text('layout');
  if (layout !== undefined && !/^N(C[DHW]+|[DHW]+C)$/.test(layout))
    throw node.unsupported(`its layout is ${layout}`);
  return layout?.endsWith('C') ? 'channelsLast' : 'channelsFirst';
}

/** What windows state about themselves. */
export interface Window {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly padding: Padding;
  readonly pads: readonly number[];
}

/**
 * Pads of each spatial axis, all begins and then all ends; undefined while they depend on sizes
 * that are not known.
 */
export function explicitPads(
  x: Value,
  kernel: readonly number[],
  { padding, pads, strides, dilations }: Window,
): readonly number[] | undefined {
  if (padding === 'explicit') return pads;
  const amounts = kernel.map(
    (size, i) =>
      x.shape &&
      samePadding(
        x.shape[i + 2]!,
        size,
        strides[i]!,
        dilations[i]!,
        padding === 'sameUpper' ? 'upper' : 'lower',
      ),
  );
  const known = amounts.filter((pair) => pair !== undefined);
  return known.length < kernel.length
    ? undefined
    : [...known.map(([begin]) => begin), ...known.map(([, end]) => end)];
}

/**
 * The pads as MXNet states them, one number for both ends of an axis, after what does not fit that
 * was put around the operand.
 */
export function padded(
  writer: GraphWriter,
  x: Value,
  pads: readonly number[],
  value: number,
): { x: Operand; pad: readonly number[] } {
  const rank = pads.length / 2;
  const [begins, ends] = [pads.slice(0, rank), pads.slice(rank)];
  if (begins.every((begin, i) => begin === ends[i])) return { x, pad: begins };
  const widths = [[0, 0], [0, 0], ...begins.map((begin, i) => [begin, ends[i]!])];
  const around =
    rank === 1
      ? writer.step('_npi_pad', [x], { pad_width: widths, mode: 'constant', constant_value: value })
      : writer.step('Pad', [x], {
          mode: 'constant',
          pad_width: widths.flat(),
          constant_value: value,
        });
  return { x: around, pad: begins.map(() => 0) };
}

/** Why pads that follow from unknown sizes cannot be written. */
export const openPads = gap(
  'its padding follows from a size that is not known before the model runs, and MXNet states pads as numbers',
);
