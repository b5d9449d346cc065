import type { Shape } from '../tensor/dim.js';
import { windowCounts, type Sliding } from '../typing/window.js';

/**
 * Whether the lists of a {@link Sliding} fit `rank` spatial axes: strides and dilations positive,
 * pads non-negative and zero unless explicit.
 */
export function slides(rank: number, { strides, dilations, padding, pads }: Sliding): boolean {
  return (
    rank > 0 &&
    strides.length === rank &&
    dilations.length === rank &&
    pads.length === 2 * rank &&
    [...strides, ...dilations].every((step) => step > 0) &&
    pads.every((pad) => (padding === 'explicit' ? pad >= 0 : pad === 0))
  );
}

/**
 * Whether at least one window fits into each padded axis, as far as sizes are known; an empty input
 * may have none.
 */
export function windowFits(input: Shape, kernel: Shape, sliding: Sliding, ceil = false): boolean {
  return windowCounts(input, kernel, sliding, ceil).every(
    (count, i) => typeof count !== 'number' || count > 0 || (count === 0 && input[i] === 0),
  );
}
