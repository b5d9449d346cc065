import { toNumbers, type Tensor } from '@drover/core';

/**
 * How far a tensor is from the expected one: the largest difference over the largest magnitude.
 * What is missing, of another shape or all zero where something is expected is infinitely far.
 */
export function distance(actual: Tensor | undefined, expected: Tensor | undefined): number {
  if (!actual || !expected || actual.shape.join() !== expected.shape.join()) return Infinity;
  const [a, e] = [toNumbers(actual), toNumbers(expected)];
  let [largest, worst] = [0, 0];
  for (let i = 0; i < e.length; i++) {
    largest = Math.max(largest, Math.abs(e[i]!));
    const error = Math.abs(a[i]! - e[i]!);
    worst = Math.max(worst, Number.isNaN(error) ? Infinity : error);
  }
  return largest === 0 ? Infinity : worst / largest;
}
