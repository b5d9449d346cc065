import { nameLikeness } from './alike.js';
import { fits, signatures, type Fit } from './fit.js';
import type { Layer, Parts } from './layer.js';
import { digestOf } from './digest.js';

/** How a source was found for a target. */
export type Ground = 'rule' | 'name' | 'values' | 'order';

/** A target layer and the source that is its. */
export interface Match<T, S> {
  readonly target: Layer<T>;
  readonly source: Layer<S>;
  readonly fit: Fit<T, S>;
  readonly ground: Ground;
}

/** Layers of which nothing tells which source is whose. */
interface Ambiguity<T, S> {
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

/** A layer that has no partner yet, with its place in the order of its file. */
interface Open<P> {
  readonly layer: Layer<P>;
  readonly place: number;
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
  readonly #found = new Map<Open<T>, { readonly source: Open<S>; readonly ground: Ground }>();
  readonly #likeness = new Map<Open<T>, Map<Open<S>, number>>();
  readonly #digests = new Map<Parts, Promise<string>>();
  readonly #ambiguities: Ambiguity<T, S>[] = [];

  constructor(
    private readonly targets: Ordered<T>,
    private readonly sources: Ordered<S>,
  ) {
    const opened = <P>(layers: readonly Layer<P>[]) =>
      new Set(
        layers.map((layer, place): Open<P> => ({ layer, place, signatures: signatures(layer) })),
      );
    this.#open = opened(targets.layers);
    this.#left = opened(sources.layers);
  }

  async run(evidence: Evidence): Promise<Matching<T, S>> {
    this.#byNames();
    await this.#byValues();
    if (evidence === 'order') this.#byOrder();
    return {
      matches: await this.#matches(),
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

  #settle(target: Open<T>, source: Open<S>, ground: Ground): void {
    this.#found.set(target, { source, ground });
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
    const pairs: (readonly [Open<T>, Open<S>])[] = [];
    for (const target of this.#open)
      for (const source of this.#left)
        if (this.#canBe(target, source) && (await this.#equalFit(target.layer, source.layer)))
          pairs.push([target, source]);
    const count = (each: Open<T> | Open<S>) => pairs.filter((pair) => pair.includes(each)).length;
    for (const [target, source] of pairs)
      if (count(target) === 1 && count(source) === 1) this.#settle(target, source, 'values');
  }

  /** The fit of two layers that hold the same values. */
  async #equalFit(target: Layer<T>, source: Layer<S>): Promise<Fit<T, S> | undefined> {
    for (const fit of fits(target, source)) {
      const [a, b] = await Promise.all([
        this.#digest(fit.target.parts),
        this.#digest(fit.source.parts),
      ]);
      if (a === b) return fit;
    }
    return undefined;
  }

  #digest(parts: Parts): Promise<string> {
    const known = this.#digests.get(parts) ?? digestOf(parts);
    this.#digests.set(parts, known);
    return known;
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

  /** The matches with the layouts that they are seen in. */
  async #matches(): Promise<readonly Match<T, S>[]> {
    const matches: Match<T, S>[] = [];
    const open: {
      readonly target: Layer<T>;
      readonly source: Layer<S>;
      readonly ground: Ground;
    }[] = [];
    for (const [{ layer: target }, { source, ground }] of this.#found) {
      const [fit, ...more] = fits(target, source.layer);
      if (more.length > 0) open.push({ target, source: source.layer, ground });
      else matches.push({ target, source: source.layer, fit: fit!, ground });
    }
    // Square matrices fit both ways round: others of the same checkpoint tell which it keeps.
    const seen = [...matches];
    for (const each of open) {
      const all = fits(each.target, each.source);
      const equal =
        each.ground === 'values' ? await this.#equalFit(each.target, each.source) : undefined;
      const last = (layer: Layer<S>) => layer.names[0]?.path.at(-1);
      const kept = (isLike: (layer: Layer<S>) => boolean) =>
        all.find(({ kind, source: { convention } }) =>
          seen.some(
            ({ source, fit }) =>
              isLike(source) && fit.kind === kind && fit.source.convention === convention,
          ),
        );
      const fit =
        equal ?? kept((layer) => last(layer) === last(each.source)) ?? kept(() => true) ?? all[0]!;
      matches.push({ ...each, fit });
    }
    return matches;
  }
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
