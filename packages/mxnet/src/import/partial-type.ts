import type { DType } from '@drover/core';

/** A member of a set of equals; the one without a parent stands for the set. */
interface Member<M> {
  parent: M | undefined;
}

/**
 * The member that stands for the set. Those on the way are brought next to it: chains of a long
 * graph would else be walked again and again.
 */
function rootOf<M extends Member<M>>(member: M): M {
  let root = member;
  while (root.parent) root = root.parent;
  for (let at = member; at.parent && at.parent !== root;) {
    const next = at.parent;
    at.parent = root;
    at = next;
  }
  return root;
}

/** One unknown among several that are known to be equal, or a value once one of them has it. */
export class Cell<T> implements Member<Cell<T>> {
  parent: Cell<T> | undefined;
  #value: T | undefined;

  constructor(value?: T) {
    this.#value = value;
  }

  /** The cell that stands for all that are equal to this one. */
  get root(): Cell<T> {
    return rootOf<Cell<T>>(this);
  }

  get value(): T | undefined {
    return this.root.#value;
  }

  /**
   * Takes note that two cells are equal; whether that was news. Where both have values, each keeps
   * its own: the operators' own checks will tell.
   */
  join(other: Cell<T>): boolean {
    const [a, b] = [this.root, other.root];
    if (a === b || (a.#value !== undefined && b.#value !== undefined)) return false;
    if (a.#value !== undefined) b.parent = a;
    else a.parent = b;
    return true;
  }
}

/**
 * Type and shape of a tensor as far as they are known: what is not is a cell that others may come
 * to equal.
 */
export class PartialType implements Member<PartialType> {
  parent: PartialType | undefined;
  #dims: Cell<number>[] | undefined;
  readonly dtype = new Cell<DType>();

  constructor(dims?: readonly (number | undefined)[], dtype?: DType) {
    this.#dims = dims?.map((dim) => new Cell(dim));
    if (dtype) this.dtype.join(new Cell(dtype));
  }

  get #root(): PartialType {
    return rootOf<PartialType>(this);
  }

  /** The dimensions; undefined while the rank is not known. */
  get dims(): readonly Cell<number>[] | undefined {
    return this.#root.#dims;
  }

  /** Takes note of the rank; whether that was news. */
  ranked(rank: number): boolean {
    const root = this.#root;
    if (root.#dims) return false;
    root.#dims = Array.from({ length: rank }, () => new Cell<number>());
    return true;
  }

  /** Takes note that two shapes are equal; whether that was news. */
  join(other: PartialType): boolean {
    const [a, b] = [this.#root, other.#root];
    if (a === b) return false;
    if (a.#dims && b.#dims) return joinDims(a.#dims, b.#dims);
    if (a.#dims) b.parent = a;
    else a.parent = b;
    return true;
  }
}

/** Joins dimensions one by one; whether that was news. Shapes of unequal rank are left alone. */
export function joinDims(
  a: readonly (Cell<number> | undefined)[],
  b: readonly (Cell<number> | undefined)[],
): boolean {
  if (a.length !== b.length) return false;
  return a
    .map((cell, i) => cell !== undefined && b[i] !== undefined && cell.join(b[i]))
    .includes(true);
}
