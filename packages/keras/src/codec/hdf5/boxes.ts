/** A box of elements: where it begins, and how many it has along each axis. */
export interface Box {
  readonly start: readonly number[];
  readonly count: readonly number[];
}

/**
 * The boxes that hold the elements from `first` up to `last`, counted in C order, one after the
 * other in that order; none has more than `most` elements.
 */
export function* boxesOf(
  shape: readonly number[],
  first: number,
  last: number,
  most: number,
): Generator<Box> {
  const [rows, ...inner] = shape;
  if (rows === undefined) {
    yield { start: [], count: [] };
    return;
  }
  const row = inner.reduce((product, dim) => product * dim, 1);
  for (let at = first; at < last;) {
    const index = Math.floor(at / row);
    const within = at - index * row;
    const whole = Math.min(Math.floor((last - at) / row), Math.floor(most / row));
    if (within === 0 && whole > 0) {
      yield { start: [index, ...inner.map(() => 0)], count: [whole, ...inner] };
      at += whole * row;
    } else {
      const end = Math.min(last - index * row, row);
      for (const { start, count } of boxesOf(inner, within, end, most))
        yield { start: [index, ...start], count: [1, ...count] };
      at = index * row + end;
    }
  }
}
