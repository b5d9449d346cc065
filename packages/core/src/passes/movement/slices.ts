import type { Value } from '../../graph/value.js';
import { sliceRange } from '../../typing/slice-bounds.js';
import { channelAxis } from '../../typing/window.js';
import { conv } from '../../ops/conv.js';
import { slice, sliceEnd } from '../../ops/slice.js';
import { bounds, sameDim, subDim, type Dim } from '../../tensor/dim.js';
import { isOutput, replaceByNode, type Rule } from './replacement.js';

interface Cut {
  readonly axis: number;
  readonly start: Dim;
  readonly end: Dim;
  readonly step: number;
}

/**
 * A cut with bounds within the dimension, where that is known: `end` is one step beyond the last
 * index at most.
 */
function clamped(cut: Cut, size: Dim): Cut {
  const { axis, start, end, step } = cut;
  if (typeof size === 'number' && typeof start === 'number' && typeof end === 'number') {
    const { first, count } = sliceRange(size, start, end, step);
    if (count < 2) return { axis, start: count && first, end: count && first + 1, step: 1 };
    const beyond = first + (count - 1) * step + Math.sign(step);
    return { axis, start: first, end: beyond < 0 ? -sliceEnd : beyond, step };
  }
  // Bounds that are 2^31 - 1 or more reach the end whatever the size.
  const reaches = step > 0 && (bounds(subDim(end, size))[0] >= 0 || bounds(end)[0] >= 2 ** 31 - 1);
  return reaches ? { ...cut, end: sliceEnd } : cut;
}

function isWhole({ start, end, step }: Cut, size: Dim): boolean {
  return (
    start === 0 && step === 1 && (end === size || (typeof size !== 'number' && end === sliceEnd))
  );
}

/**
 * The bounds of a Slice in the one way to say them: clamped, by ascending axes, without axes that
 * stay whole.
 */
export const settleSlice: Rule = (_, node) => {
  if (!node.is(slice)) return false;
  const { axes, starts, ends, steps } = node.attrs;
  const { shape } = node.operands.x;
  if (!shape || !starts || !ends) return false;
  const cuts = axes
    .map((axis, i) =>
      clamped({ axis, start: starts[i]!, end: ends[i]!, step: steps[i]! }, shape[axis]!),
    )
    .filter((cut) => !isWhole(cut, shape[cut.axis]!))
    .sort((a, b) => a.axis - b.axis);
  const isSettled =
    cuts.length === axes.length &&
    cuts.every(
      ({ axis, start, end, step }, i) =>
        axis === axes[i] &&
        sameDim(start, starts[i]!) &&
        sameDim(end, ends[i]!) &&
        step === steps[i],
    );
  if (isSettled) return false;
  node.attrs = {
    axes: cuts.map(({ axis }) => axis),
    starts: cuts.map(({ start }) => start),
    ends: cuts.map(({ end }) => end),
    steps: cuts.map(({ step }) => step),
  };
  return true;
};

/** A convolution of which only some channels are used has only their filters. */
export const sliceFilters: Rule = (graph, node) => {
  if (!node.is(slice)) return false;
  const { axes, starts, ends, steps } = node.attrs;
  const from = node.operands.x.producer;
  if (!from?.is(conv) || node.operands.x.users.size > 1 || isOutput(graph, node.operands.x))
    return false;
  const [start, end] = [starts?.[0], ends?.[0]];
  const { layout, groups, strides } = from.attrs;
  const isOfChannels = axes.length === 1 && axes[0] === channelAxis(layout, strides.length + 2);
  if (
    !isOfChannels ||
    steps[0] !== 1 ||
    typeof start !== 'number' ||
    typeof end !== 'number' ||
    groups !== 1
  )
    return false;
  const { x, w, bias } = from.operands;
  if (
    !w.constant ||
    (bias && !bias.constant) ||
    start < 0 ||
    end <= start ||
    end > w.constant.shape[0]!
  )
    return false;
  const cut = (value: Value) =>
    graph.constant(value.constant!.slice(0, start, end - start), value.name, value.origin);
  return replaceByNode(graph, node, conv, { x, w: cut(w), bias: bias && cut(bias) }, from.attrs);
};
