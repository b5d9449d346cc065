import { mulDim, sameDim, type Dim, type Shape } from '@drover/core';

/**
 * A shape in the codes of MXNet's Reshape, for sources whose sizes are named: literals, 0 keeps a
 * dimension at its place, -1 is what remains, -3 joins two, -4 splits one in two. undefined when
 * the codes cannot say it. Sizes of 0 have no form: 0 is a code.
 */
export function reshapeCodes(from: Shape, to: Shape): readonly number[] | undefined {
  if (to.includes(0)) return undefined;
  if (to.every((dim) => typeof dim === 'number')) return to;
  return search(from, 0, to, 0, false) ?? oneSplit(from, to);
}

/** Reshapes that nothing shorter says take at most this many. */
const maxSteps = 3;

/** A shape with two neighbours joined. */
const joined = (shape: Shape, at: number): Shape => [
  ...shape.slice(0, at),
  mulDim(shape[at]!, shape[at + 1]!),
  ...shape.slice(at + 2),
];

/**
 * The fewest reshapes by codes that lead from one shape to another, by joining neighbours first or
 * splitting them last; undefined when none are found.
 */
export function reshapeSteps(
  from: Shape,
  to: Shape,
  most = maxSteps,
): readonly (readonly number[])[] | undefined {
  const codes = reshapeCodes(from, to);
  if (codes) return [codes];
  for (let steps = 2; steps <= most; steps++) {
    for (let at = 0; at + 1 < from.length; at++) {
      const [first, rest] = [
        reshapeCodes(from, joined(from, at)),
        reshapeSteps(joined(from, at), to, steps - 1),
      ];
      if (first && rest) return [first, ...rest];
    }
    for (let at = 0; at + 1 < to.length; at++) {
      const last = reshapeCodes(joined(to, at), to);
      const rest = last && reshapeSteps(from, joined(to, at), steps - 1);
      if (rest) return [...rest, last];
    }
  }
  return undefined;
}

/**
 * All dimensions are kept but one that becomes two: as the number of elements is the same, it is
 * their product even where that cannot be shown.
 */
function oneSplit(from: Shape, to: Shape): readonly number[] | undefined {
  if (to.length !== from.length + 1) return undefined;
  const at = from.findIndex((dim, i) => !sameDim(dim, to[i]!));
  const [left, right] = [to[at], to[at + 1]];
  const isRestKept = from.slice(at + 1).every((dim, i) => sameDim(dim, to[at + 2 + i]!));
  if (
    left === undefined ||
    right === undefined ||
    !isRestKept ||
    (typeof left !== 'number' && typeof right !== 'number')
  )
    return undefined;
  const code = (dim: Dim) => (typeof dim === 'number' ? dim : -1);
  return [
    ...from.slice(0, at).map(() => 0),
    -4,
    code(left),
    code(right),
    ...from.slice(at + 1).map(() => 0),
  ];
}

/** Codes for `to` from position `j` on, the place in the source being `i`. One -1 may be used. */
function search(
  from: Shape,
  i: number,
  to: Shape,
  j: number,
  isOpenUsed: boolean,
): readonly number[] | undefined {
  if (j === to.length) return [];
  const dim = to[j]!;
  const source = from[i];
  const then = (
    codes: readonly number[],
    nextI: number,
    nextJ: number,
    isUsed = isOpenUsed,
  ): readonly number[] | undefined => {
    const rest = search(from, nextI, to, nextJ, isUsed);
    return rest && [...codes, ...rest];
  };
  const kept = source !== undefined && sameDim(source, dim) ? then([0], i + 1, j + 1) : undefined;
  if (kept) return kept;
  const next = from[i + 1];
  const joined =
    source !== undefined && next !== undefined && sameDim(mulDim(source, next), dim)
      ? then([-3], i + 2, j + 1)
      : undefined;
  if (joined) return joined;
  const following = to[j + 1];
  if (
    source !== undefined &&
    following !== undefined &&
    sameDim(mulDim(dim, following), source) &&
    (typeof dim === 'number' || typeof following === 'number')
  ) {
    const split = then(
      [-4, typeof dim === 'number' ? dim : -1, typeof following === 'number' ? following : -1],
      i + 1,
      j + 2,
    );
    if (split) return split;
  }
  if (typeof dim === 'number') return then([dim], i + 1, j + 1);
  return isOpenUsed ? undefined : then([-1], i + 1, j + 1, true);
}
