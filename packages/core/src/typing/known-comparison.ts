import { bounds, subDim, type Dim } from '../tensor/dim.js';

/**
 * 1 or 0 where the bounds of a - b decide a comparison with it (a union of the ranges below, at and
 * above zero); else undefined.
 */
export function knownComparison(
  a: Dim,
  b: Dim,
  holds: (difference: number) => boolean,
): Dim | undefined {
  const [low, high] = bounds(subDim(a, b));
  const outcomes = [low < 0 && holds(-1), low <= 0 && high >= 0 && holds(0), high > 0 && holds(1)];
  const isPossible = [low < 0, low <= 0 && high >= 0, high > 0];
  const verdicts = outcomes.filter((_, i) => isPossible[i]);
  return verdicts.every((verdict) => verdict)
    ? 1
    : verdicts.some((verdict) => verdict)
      ? undefined
      : 0;
}
