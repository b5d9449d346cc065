import type { Shape } from '../tensor/dim.js';
import type { Layout } from './window.js';

/**
 * How a tensor of some rank is permuted to reach the other layout: dimension i of the result is
 * dimension perm[i]. Ranks below 3 have no layout.
 */
export function permutationTo(layout: Layout, rank: number): readonly number[] {
  const axes = Array.from({ length: rank }, (_, i) => i);
  if (rank < 3) return axes;
  return layout === 'channelsLast' ? [0, ...axes.slice(2), 1] : [0, rank - 1, ...axes.slice(1, -1)];
}

/** The permutation that undoes another. */
export function inverse(perm: readonly number[]): readonly number[] {
  return perm.map((_, i) => perm.indexOf(i));
}

/**
 * Whether a permutation of a tensor moves no element: it only moves dimensions of size 1 past
 * others.
 */
export function movesNothing(shape: Shape, perm: readonly number[]): boolean {
  const kept = perm.filter((p) => shape[p] !== 1);
  return kept.every((p, i) => i === 0 || p > kept[i - 1]!);
}

/** Entries of a per-dimension list in the order of the permuted dimensions. */
export function permuted<T>(list: readonly T[], perm: readonly number[]): T[] {
  return perm.map((p) => list[p]!);
}
