import { nameLikeness } from './alike.js';
import { digestOfParts } from './digest.js';
import { fits, signatures, type Fit } from './fit.js';
import type { Layer } from './layer.js';

/** How a source was found for a target. */
export type Ground = 'rule' | 'name' | 'values' | 'order';

/** A target layer and the source that is its. */
export interface Match<T, S> {
  readonly target: Layer<T>;
  readonly source: Layer<S>;
  /** The layouts that both can be seen in; several for a square matrix. */
  readonly fits: readonly [Fit<T, S>, ...Fit<T, S>[]];
  readonly ground: Ground;
}

/** Layers of which nothing tells which source is whose. */
export interface Ambiguity<T, S> {
  readonly targets: readonly Layer<T>[];
  readonly sources: readonly Layer<S>[];
}

/** What was found. */
export interface Matching<T, S> {
  readonly matches: readonly Match<T, S>[];
  readonly ambiguities: readonly Ambiguity<T, S>[];
  /** Targets without a source, and sources that no target takes. */
  readonly missing: readonly Layer<T>[];
  readonly extra: readonly Layer<S>[];
}

/** A layer that has no partner yet. */
interface Open<P> {
  readonly layer: Layer<P>;
  readonly signatures: ReadonlySet<string>;
}

/** Layers of a side, in order. */
export interface Ordered<P> {
  readonly layers: readonly Layer<P>[];
  /** Whether the order of two layers means something. */
  isOrdered(a: Layer<P>, b: Layer<P>): boolean;
}

/** What tells which source is whose: what layers are called and hold, or also their order. */
export type Evidence = 'own' | 'order';

type Pair<T, S> = readonly [target: Open<T>, source: Open<S>];

/**
 * Finds the source of each target: by names; then by values, where they are equal; then, if that is
 * to count, by order among those that fit. Two whose order means nothing, that fit each other's
 * sources and whose names do not tell, are ambiguous.
 */
export async function matchLayers<T, S>(
  targets: Ordered<T>,
  sources: Ordered<S>,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  return new Matcher(targets, sources).run(evidence);
}

class Matcher<T, S> {
  readonly #open: Set<Open<T>>;
  readonly #left: Set<Open<S>>;
  readonly #matches: Match<T, S>[] = [];
  readonly #likeness = new Map<Open<T>, Map<Open<S>, number>>();
  readonly #ambiguities: Ambiguity<T, S>[] = [];

  constructor(
    private readonly targets: Ordered<T>,
    private readonly sources: Ordered<S>,
  ) {
    const opened = <P>(layers: readonly Layer<P>[]) =>
      new Set(layers.map((layer): Open<P> => ({ layer, signatures: signatures(layer) })));
    this.#open = opened(targets.layers);
    this.#left = opened(sources.layers);
  }

  async run(evidence: Evidence): Promise<Matching<T, S>> {
    this.#byNames();
    await this.#byValues();
    if (evidence === 'order') this.#byOrder();
    return {
      matches: this.#matches,
      ambiguities: this.#ambiguities,
      missing: [...this.#open].map(({ layer }) => layer),
      extra: [...this.#left].map(({ layer }) => layer),
    };
  }

  #canBe(target: Open<T>, source: Open<S>): boolean {
    const [a, b] = [target.layer.isReverse, source.layer.isReverse];
    if (a !== undefined && b !== undefined && a !== b) return false;
    for (const each of target.signatures) if (source.signatures.has(each)) return true;
    return false;
  }

  #alike(target: Open<T>, source: Open<S>): number {
    const known = this.#likeness.get(target) ?? new Map<Open<S>, number>();
    this.#likeness.set(target, known);
    let likeness = known.get(source);
    if (likeness === undefined) {
      likeness = nameLikeness(target.layer.names, source.layer.names);
      known.set(source, likeness);
    }
    return likeness;
  }

  #settle(target: Open<T>, source: Open<S>, ground: Ground, equal?: Fit<T, S>): void {
    const [first, ...more] = equal ? [equal] : fits(target.layer, source.layer);
    const { layer } = target;
    this.#matches.push({ target: layer, source: source.layer, fits: [first!, ...more], ground });
    this.#open.delete(target);
    this.#left.delete(source);
  }

  /** Those that are each other's only best by name, until there are none. */
  #byNames(): void {
    for (let settled = true; settled;) {
      settled = false;
      const best = <A, B>(from: Iterable<A>, to: readonly B[], rate: (a: A, b: B) => number) => {
        const found = new Map<A, B | undefined>();
        for (const a of from) {
          let [most, only]: [number, B | undefined] = [0, undefined];
          for (const b of to) {
            const rated = rate(a, b);
            if (rated > most) [most, only] = [rated, b];
            else if (rated === most) only = undefined;
          }
          found.set(a, only);
        }
        return found;
      };
      const rate = (t: Open<T>, s: Open<S>) => (this.#canBe(t, s) ? this.#alike(t, s) : 0);
      const forward = best(this.#open, [...this.#left], rate);
      const back = best(this.#left, [...this.#open], (s, t) => rate(t, s));
      for (const [target, source] of forward) {
        if (!source || back.get(source) !== target) continue;
        this.#settle(target, source, 'name');
        settled = true;
      }
    }
  }

  /** Those whose values are equal, as far as they tell one from another. */
  async #byValues(): Promise<void> {
    const pairs: (readonly [Open<T>, Open<S>, Fit<T, S>])[] = [];
    for (const target of this.#open)
      for (const source of this.#left) {
        const fit = this.#canBe(target, source)
          ? await equalFit(target.layer, source.layer)
          : undefined;
        if (fit) pairs.push([target, source, fit]);
      }
    const count = (i: 0 | 1, each: Open<T> | Open<S>) =>
      pairs.filter((pair) => pair[i] === each).length;
    for (const [target, source, fit] of pairs)
      if (count(0, target) === 1 && count(1, source) === 1)
        this.#settle(target, source, 'values', fit);
  }

  /** What is left, in order: as many as fit, then those whose names are alike. */
  #byOrder(): void {
    const pairs: (readonly [Open<T>, Open<S>])[] = [];
    const [targets, sources] = [new Set(this.#open), new Set(this.#left)];
    for (;;) {
      // What crosses what was found is left for another round.
      const found = aligned([...targets], [...sources], (target, source) =>
        this.#canBe(target, source) ? 1 + this.#alike(target, source) / 1000 : 0,
      );
      if (found.length === 0) break;
      for (const [target, source] of found) {
        targets.delete(target);
        sources.delete(source);
      }
      pairs.push(...found);
    }
    const doubtful = this.#doubtful(pairs);
    for (const group of new Set(doubtful.values()))
      this.#ambiguities.push({
        targets: [...group].map(([{ layer }]) => layer),
        sources: [...group].map(([, { layer }]) => layer),
      });
    for (const [target, source] of pairs)
      if (doubtful.has(target)) {
        this.#open.delete(target);
        this.#left.delete(source);
      } else this.#settle(target, source, this.#alike(target, source) > 0 ? 'name' : 'order');
  }

  /** Pairs that could as well be each other's, by their targets. */
  #doubtful(pairs: readonly Pair<T, S>[]): ReadonlyMap<Open<T>, ReadonlySet<Pair<T, S>>> {
    const isSwapped = ([t, s]: Pair<T, S>, [u, v]: Pair<T, S>) =>
      this.#canBe(t, v) &&
      this.#canBe(u, s) &&
      this.#alike(t, s) + this.#alike(u, v) <= this.#alike(t, v) + this.#alike(u, s) &&
      !(this.targets.isOrdered(t.layer, u.layer) && this.sources.isOrdered(s.layer, v.layer));
    const doubtful = new Map<Open<T>, Set<Pair<T, S>>>();
    for (const [i, pair] of pairs.entries())
      for (const other of pairs.slice(i + 1)) {
        if (!isSwapped(pair, other)) continue;
        const group = new Set([
          pair,
          other,
          ...(doubtful.get(pair[0]) ?? []),
          ...(doubtful.get(other[0]) ?? []),
        ]);
        for (const [target] of group) doubtful.set(target, group);
      }
    return doubtful;
  }
}

/** The fit of two layers in which they hold the same values. */
async function equalFit<T, S>(target: Layer<T>, source: Layer<S>): Promise<Fit<T, S> | undefined> {
  for (const fit of fits(target, source))
    if ((await digestOfParts(fit.target.parts)) === (await digestOfParts(fit.source.parts)))
      return fit;
  return undefined;
}

/**
 * Pairs of two lists, both in order, with the greatest sum of ratings; 0 is no pair. The least that
 * can be left is left.
 */
function aligned<A, B>(
  as: readonly A[],
  bs: readonly B[],
  rate: (a: A, b: B) => number,
): readonly (readonly [A, B])[] {
  const width = bs.length + 1;
  const best = new Float64Array((as.length + 1) * width);
  for (let i = as.length - 1; i >= 0; i--)
    for (let j = bs.length - 1; j >= 0; j--) {
      const rated = rate(as[i]!, bs[j]!);
      const paired = rated > 0 ? rated + best[(i + 1) * width + j + 1]! : 0;
      best[i * width + j] = Math.max(paired, best[(i + 1) * width + j]!, best[i * width + j + 1]!);
    }
  const pairs: (readonly [A, B])[] = [];
  for (let [i, j] = [0, 0]; i < as.length && j < bs.length;) {
    const rated = rate(as[i]!, bs[j]!);
    const here = best[i * width + j]!;
    if (rated > 0 && here === rated + best[(i + 1) * width + j + 1]!) {
      pairs.push([as[i]!, bs[j]!]);
      [i, j] = [i + 1, j + 1];
    } else if (here === best[(i + 1) * width + j]!) i++;
    else j++;
  }
  return pairs;
}
