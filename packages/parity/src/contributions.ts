import { isFloat, toNumbers, type Step, type Tensor, type Value } from '@drover/core';

/** Shares of a whole, by the names of operators; they add up to 1, or there are none. */
export type Shares = ReadonlyMap<string, number>;

/** What is known of a value: how far it is off, in its own magnitude squared, and by whom. */
interface Deviation {
  readonly relative: number;
  readonly shares: Shares;
}

const nothing: Deviation = { relative: 0, shares: new Map() };

/**
 * Tells which operators made an evaluation with rounding errors what it is. At every node the
 * square of what its results are off is the square of its own error and what came in; the latter
 * belongs to the operands by how far they were off, and so to the operators before.
 */
export class Contributions {
  readonly #known = new Map<Value, Deviation>();
  /** What the bodies of the node to come have lost themselves, by operator. */
  #inBodies = new Map<string, number>();

  /**
   * Takes in one node: its exact step, what its operands being off makes of its results, and its
   * results with its own errors as well.
   */
  add(exact: Step, carried: readonly Tensor[], results: readonly Tensor[]): void {
    const { node, path } = exact;
    exact.outputs.forEach((truth, i) => {
      const value = node.outputs[i];
      if (!value || !isFloat(truth.dtype)) return;
      const scale = meanSquareOf(truth);
      const own = meanSquareOf(results[i]!, carried[i]!);
      const entered = meanSquareOf(carried[i]!, truth);
      if (scale === 0 || own + entered === 0) return;
      const { name } = node.op;
      if (path.length > 0) this.#inBodies.set(name, (this.#inBodies.get(name) ?? 0) + own / scale);
      const shares = new Map<string, number>();
      const add = (by: string, share: number) =>
        share > 0 && shares.set(by, (shares.get(by) ?? 0) + share);
      const rest = entered / (own + entered);
      add(name, 1 - rest);
      const before = [...node.dependencies()].map((each) => this.#known.get(each) ?? nothing);
      const bodies = node.op.regions ? this.#inBodies : new Map<string, number>();
      const all = sum(before.map(({ relative }) => relative)) + sum([...bodies.values()]);
      if (all === 0) add(name, rest);
      else {
        for (const { relative, shares: from } of before)
          for (const [by, share] of from) add(by, (rest * share * relative) / all);
        for (const [by, lost] of bodies) add(by, (rest * lost) / all);
      }
      this.#known.set(value, { relative: (own + entered) / scale, shares });
    });
    if (node.op.regions) this.#inBodies = new Map();
  }

  /** Shares of the operators in what a value is off, the largest first. */
  of(value: Value): Shares {
    const { shares } = this.#known.get(value) ?? nothing;
    return new Map([...shares].sort(([, a], [, b]) => b - a));
  }
}

const sum = (all: readonly number[]) => all.reduce((total, each) => total + each, 0);

/** Shares need no more than this many elements of a result, which are taken evenly. */
const enoughElements = 2 ** 13;

/**
 * Mean square of what is finite of the difference of two tensors, or of one; 0 where their shapes
 * part or there is none.
 */
function meanSquareOf(a: Tensor, b?: Tensor): number {
  if (b && a.data.length !== b.data.length) return 0;
  const [x, y] = [toNumbers(a), b && toNumbers(b)];
  // An odd step meets all channels, wherever these stand.
  const step = Math.ceil(x.length / enoughElements) | 1;
  let [squares, count] = [0, 0];
  for (let i = 0; i < x.length; i += step) {
    const error = y ? x[i]! - y[i]! : x[i]!;
    if (!Number.isFinite(error)) continue;
    squares += error * error;
    count++;
  }
  return squares / Math.max(count, 1);
}
