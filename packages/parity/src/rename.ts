/**
 * Values under the names that the other side uses: equal names, else the same place in the order.
 */
export function renamed<T>(from: ReadonlyMap<string, T>, names: readonly string[]): Map<string, T> {
  if (names.every((name) => from.has(name))) return new Map(from);
  return new Map([...from.values()].map((value, i) => [names[i] ?? `output ${i}`, value]));
}
