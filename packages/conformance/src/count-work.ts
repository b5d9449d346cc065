/** What each collection of JavaScript offers; work is counted where it goes through one of them. */
const prototypes: readonly object[] = [Array.prototype, Map.prototype, Set.prototype];

/** Methods that take one step, however many elements there are. */
const single: ReadonlySet<string | symbol> = new Set([
  ...['at', 'pop', 'push'],
  ...['add', 'clear', 'delete', 'get', 'has', 'set'],
]);

/** Elements of a collection, or of what is treated as one. */
function sizeOf(collection: unknown): number {
  const { size, length } = collection as { readonly size?: number; readonly length?: number };
  return size ?? length ?? 0;
}

/**
 * Counts the steps that a computation takes in arrays, maps and sets: one for each call of a
 * method, and one for each element that it may look at. Unlike time, the count is the same on every
 * machine, however busy; loops over indices and the contents of typed arrays are not in it. Nothing
 * else may run meanwhile.
 */
export async function countWork(run: () => unknown): Promise<number> {
  let steps = 0;
  const originals: (() => void)[] = [];
  for (const prototype of prototypes) {
    for (const key of Reflect.ownKeys(prototype)) {
      const property = Object.getOwnPropertyDescriptor(prototype, key)!;
      const method = property.value as unknown;
      if (key === 'constructor' || typeof method !== 'function') continue;
      const isSingle = single.has(key);
      const counted = function (this: unknown, ...args: unknown[]): unknown {
        steps += 1;
        if (!isSingle) steps += sizeOf(this);
        return Reflect.apply(method, this, args);
      };
      Object.defineProperty(prototype, key, { ...property, value: counted });
      originals[originals.length] = () => Object.defineProperty(prototype, key, property);
    }
  }
  // The loops above went through arrays that counted already.
  steps = 0;
  let taken: number;
  try {
    await run();
  } finally {
    taken = steps;
    for (let i = 0; i < originals.length; i++) originals[i]!();
  }
  return taken;
}
