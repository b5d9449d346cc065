import { Weight } from '@drover/core';
import type { Held } from './layer.js';

/** What each place is to hold, from the rows that are known; the others stay what they are. */
export function joinRows<P>(
  held: Iterable<Held<P>>,
  own: (place: P) => Weight,
): ReadonlyMap<P, Weight> {
  const rows = new Map<P, Map<number, Weight>>();
  const counts = new Map<P, number>();
  for (const { place, weight, row } of held) {
    const known = rows.get(place) ?? new Map<number, Weight>();
    rows.set(place, known.set(row[0], weight));
    counts.set(place, row[1]);
  }
  return new Map(
    [...rows].map(([place, known]) => {
      const [kept, count] = [own(place), counts.get(place)!];
      if (count === 1) return [place, known.get(0)!.reshape(kept.shape)];
      const whole = kept.reshape([count, kept.shape.reduce((a, b) => a * b, 1) / count]);
      const parts = Array.from(
        { length: count },
        (_, i) => known.get(i)?.reshape([1, whole.shape[1]!]) ?? whole.slice(0, i, 1),
      );
      return [place, Weight.concat(parts, 0).reshape(kept.shape)];
    }),
  );
}
