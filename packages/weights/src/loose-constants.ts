import { sizeOf, toNumbers, Weight } from '@drover/core';
import type { Held, Loose } from './layer.js';
import type { Settled } from './settle-layouts.js';

/** Constants of more bytes are not looked into. */
const maxBytes = 64 * 1024 * 1024;

/** As many copies of a vector are put together. */
const maxRows = 4096;

/** What constants that belong to no layer are to hold, and those of which nothing is known. */
export interface SettledConstants<P> {
  readonly held: readonly Held<P>[];
  readonly unknown: readonly Loose<P>[];
}

/**
 * Settles the constants of a target that no source was found for. Of two values at most they are
 * masks and factors, and stay. Rows that are a vector of a layer again and again, as exporters
 * compute the first step of a recurrence, follow that layer. What else they hold may have been
 * computed from weights that change: nothing is known of it. Reads the constants.
 */
export async function settleConstants<P, S>(
  loose: readonly Loose<P>[],
  matches: readonly Settled<P, S>[],
): Promise<SettledConstants<P>> {
  const held: Held<P>[] = [];
  const unknown: Loose<P>[] = [];
  for (const each of loose) {
    const { weight, place } = each;
    if (weight.handle.length > maxBytes) {
      unknown.push(each);
      continue;
    }
    const values = toNumbers(await weight.tensor());
    if (hasFew(values)) continue;
    const vector = await vectorOf(weight, values, matches);
    if (vector) held.push({ place, weight: repeated(vector, weight.shape), row: [0, 1] });
    else unknown.push(each);
  }
  return { held, unknown };
}

/** Whether there are no more than two different values. */
function hasFew(values: ArrayLike<number>): boolean {
  const found = new Set<number>();
  for (let i = 0; i < values.length && found.size <= 2; i++) found.add(values[i]!);
  return found.size <= 2;
}

/** The source of the vector that every row of a constant is, where one layer alone holds it. */
async function vectorOf<P, S>(
  { shape, dtype }: Weight,
  values: ArrayLike<number>,
  matches: readonly Settled<P, S>[],
): Promise<Weight | undefined> {
  const size = shape.at(-1)!;
  if (values.length / size > maxRows) return undefined;
  for (let i = size; i < values.length; i++)
    if (!Object.is(values[i], values[i - size])) return undefined;
  const found = new Map<string, Weight>();
  for (const { fit } of matches)
    for (const [role, part] of fit.target.parts) {
      const source = fit.source.parts.get(role);
      if (!source || part.dtype !== dtype || part.shape.join() !== `${size}`) continue;
      const own = toNumbers(await part.tensor());
      if (own.every((value, i) => Object.is(value, values[i])))
        found.set(source.origins.map(({ name }) => name).join(), source);
    }
  return found.size === 1 ? [...found.values()][0] : undefined;
}

function repeated(vector: Weight, shape: readonly number[]): Weight {
  const rows = sizeOf(shape.slice(0, -1));
  const row = vector.reshape([1, shape.at(-1)!]);
  return Weight.concat(new Array<Weight>(rows).fill(row), 0).reshape(shape);
}
