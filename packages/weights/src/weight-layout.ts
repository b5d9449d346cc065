import { Weight } from '@drover/core';

/** How a tensor is laid out in a framework against core's layout, both ways and without loss. */
export interface WeightLayout {
  to(kept: Weight): Weight;
  /** From core's layout; `like` has the shape that is kept. */
  from(part: Weight, like: Weight): Weight;
}

/** The same elements in the same order; in core as a vector. */
export const vector: WeightLayout = {
  to: (kept) => kept.reshape([kept.shape.reduce((a, b) => a * b, 1)]),
  from: (part, like) => part.reshape(like.shape),
};

/** The tensor as it is. */
export const same: WeightLayout = { to: (kept) => kept, from: (part) => part };

/** Dimension i in core is dimension perm(rank)[i] of what is kept. */
export function transposed(perm: (rank: number) => readonly number[]): WeightLayout {
  return {
    to: (kept) => kept.transpose(perm(kept.shape.length)),
    from: (part) => {
      const there = perm(part.shape.length);
      return part.transpose(there.map((_, i) => there.indexOf(i)));
    },
  };
}

/** Another shape in core, of the same elements in the same order. */
export function reshaped(shape: (kept: readonly number[]) => readonly number[]): WeightLayout {
  return {
    to: (kept) => kept.reshape(shape(kept.shape)),
    from: (part, like) => part.reshape(like.shape),
  };
}

/** Blocks along the first axis in another order: block i in core is block order[i]. */
export function blocks(order: readonly number[]): WeightLayout {
  const reordered = (weight: Weight, places: readonly number[]): Weight => {
    const size = weight.shape[0]! / order.length;
    if (!Number.isInteger(size)) return weight;
    return Weight.concat(
      places.map((place) => weight.slice(0, place * size, size)),
      0,
    );
  };
  return {
    to: (kept) => reordered(kept, order),
    from: (part) =>
      reordered(
        part,
        order.map((_, i) => order.indexOf(i)),
      ),
  };
}

/** One layout after the other, as seen from what is kept. */
export function both(first: WeightLayout, second: WeightLayout): WeightLayout {
  return {
    to: (kept) => second.to(first.to(kept)),
    from: (part, like) => first.from(second.from(part, first.to(like)), like),
  };
}
