import { isFloat, type Signature, type Tensor } from '@drover/core';
import { errorOf } from './error-size.js';

/** How two values were found to be the same one. */
export type PairedBy = 'map' | 'name' | 'origin' | 'shape' | 'value' | 'place';

/** A value of the first model and the one of the second that it is held against. */
export interface Pair {
  readonly first: string;
  readonly second: string;
  readonly by: PairedBy;
}

/** What is known of a value to find its other. */
export interface Pairable {
  readonly name: string;
  readonly shape: Signature['shape'];
  /** Its elements in one run, where there are any. */
  readonly value?: Tensor | undefined;
}

/**
 * Pairs values of two models: as `map` says (first to second), else by equal names, by names that
 * stem from one (`:0`, paths and what a format does not allow apart), by a shape that no other
 * value has, by the nearest elements among those of one shape, and what is left by its place.
 */
export function pairValues(
  first: readonly Pairable[],
  second: readonly Pairable[],
  map: ReadonlyMap<string, string> = new Map(),
): Pair[] {
  const left = new Map(first.map((each) => [each.name, each]));
  const right = new Map(second.map((each) => [each.name, each]));
  const found = new Map<string, Pair>();
  const pair = (a: string, b: string, by: PairedBy) => {
    if (!left.has(a) || !right.has(b)) return;
    found.set(a, { first: a, second: b, by });
    left.delete(a);
    right.delete(b);
  };
  for (const [a, b] of map) pair(a, b, 'map');
  for (const name of [...left.keys()]) pair(name, name, 'name');
  for (const [key, a] of uniqueBy(left, ({ name }) => stem(name))) {
    const b = uniqueBy(right, ({ name }) => stem(name)).get(key);
    if (b !== undefined) pair(a, b, 'origin');
  }
  for (const [key, a] of uniqueBy(left, shapeKey)) {
    const b = uniqueBy(right, shapeKey).get(key);
    if (b !== undefined) pair(a, b, 'shape');
  }
  for (const [a, b] of nearest(left, right)) pair(a, b, 'value');
  const [restLeft, restRight] = [[...left.keys()], [...right.keys()]];
  restLeft.forEach((a, i) => restRight[i] !== undefined && pair(a, restRight[i], 'place'));
  return first.flatMap(({ name }) => found.get(name) ?? []);
}

/** A name without its place, path and what formats put in for other signs. */
const stem = (name: string) =>
  name
    .replace(/:\d+$/, '')
    .replace(/^.*\//, '')
    .replace(/[^a-z0-9]+/gi, '_')
    .toLowerCase();

/** Shapes of the elements where there are any, else as declared. */
function shapeKey({ shape, value }: Pairable): string | undefined {
  if (value) return `${value.dtype === 'string'} ${value.shape.join()}`;
  return shape?.map((dim) => (typeof dim === 'number' ? dim : '?')).join();
}

/** Names by a key that only one of the values has. */
function uniqueBy(
  values: ReadonlyMap<string, Pairable>,
  keyOf: (value: Pairable) => string | undefined,
): Map<string, string> {
  const counts = new Map<string, string[]>();
  for (const value of values.values()) {
    const key = keyOf(value);
    if (key !== undefined) counts.set(key, [...(counts.get(key) ?? []), value.name]);
  }
  return new Map(
    [...counts].flatMap(([key, names]) => (names.length === 1 ? [[key, names[0]!]] : [])),
  );
}

/** Pairs of one shape, the nearest first. */
function nearest(
  left: ReadonlyMap<string, Pairable>,
  right: ReadonlyMap<string, Pairable>,
): [string, string][] {
  const distances: { a: string; b: string; rms: number }[] = [];
  for (const a of left.values()) {
    for (const b of right.values()) {
      if (!a.value || !b.value || shapeKey(a) !== shapeKey(b)) continue;
      if (isFloat(a.value.dtype) !== isFloat(b.value.dtype)) continue;
      distances.push({ a: a.name, b: b.name, rms: errorOf(b.value, a.value).rms });
    }
  }
  return distances.sort((x, y) => x.rms - y.rms).map(({ a, b }) => [a, b]);
}
