import type { Tensor } from '@drover/core';
import type { Finding } from './judge-numbers.js';

/** Equal as numbers whatever their types; bool is 0 and 1. */
function sameElement(a: number | bigint | string, b: number | bigint | string): boolean {
  return a === b || (typeof a !== 'string' && typeof b !== 'string' && a == b);
}

const none = { rms: 0, max: 0 };

/** Judges an output of integers, bool or text by one run: elements are the source's or exact. */
export function judgeExact(
  target: Tensor,
  source: Tensor | undefined,
  oracle: Tensor | undefined,
): Finding {
  const equal = (other: Tensor | undefined, i: number) =>
    other !== undefined && sameElement(other.data[i]!, target.data[i]!);
  let outside = 0;
  for (let i = 0; i < target.data.length; i++)
    if (!equal(source, i) && !equal(oracle, i)) outside++;
  return {
    verdict: outside > 0 ? 'differ' : 'agree',
    reason: outside > 0 ? `${outside} of ${target.data.length} elements are not equal` : null,
    tolerance: none,
    bound: none,
    error: null,
    sourceError: null,
    outside,
    isByError: outside > 0,
  };
}
