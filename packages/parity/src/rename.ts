import type { Tensor } from '@drover/core';

/**
 * Values under the names that the other side uses: equal names, else the same place in the order.
 */
export function renamed(
  from: ReadonlyMap<string, Tensor>,
  names: readonly string[],
): Map<string, Tensor> {
  if (names.every((name) => from.has(name))) return new Map(from);
  return new Map([...from.values()].map((value, i) => [names[i] ?? `output ${i}`, value]));
}
