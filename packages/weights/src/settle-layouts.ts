import type { Fit } from './fit.js';
import type { Layer } from './layer.js';
import type { Ambiguity, Match } from './match.js';

/** A target layer, the source that is its, and the layouts that both are seen in. */
export interface Settled<T, S> extends Omit<Match<T, S>, 'fits'> {
  readonly fit: Fit<T, S>;
}

/** Matches with their layouts, and those of which nothing tells it. */
export interface SettledLayouts<T, S> {
  readonly matches: readonly Settled<T, S>[];
  readonly ambiguities: readonly Ambiguity<T, S>[];
}

const conventionOf = <T, S>({ target, source }: Fit<T, S>) =>
  JSON.stringify([source.kind, target.convention, source.convention]);

const last = <S>({ names }: Layer<S>) => names[0]?.path.at(-1);

/**
 * Settles how square matrices lie, which fit both ways round: as others of their checkpoint do,
 * those of the same last name before all others. Where those contradict one another nothing tells;
 * where there are none, it is the usual layout.
 */
export function settleLayouts<T, S>(matches: readonly Match<T, S>[]): SettledLayouts<T, S> {
  const sure = matches.filter(({ fits }) => fits.length === 1);
  const ambiguities: Ambiguity<T, S>[] = [];
  const settled = matches.flatMap(({ fits, ...match }): readonly Settled<T, S>[] => {
    if (fits.length === 1) return [{ ...match, fit: fits[0] }];
    const shown = (among: readonly Match<T, S>[]) => {
      const conventions = new Set(among.map((each) => conventionOf(each.fits[0])));
      return fits.filter((fit) => conventions.has(conventionOf(fit)));
    };
    const alike = shown(sure.filter(({ source }) => last(source) === last(match.source)));
    const [fit = fits[0], ...others] = alike.length > 0 ? alike : shown(sure);
    if (others.length === 0) return [{ ...match, fit }];
    ambiguities.push({ targets: [match.target], sources: [match.source] });
    return [];
  });
  return { matches: settled, ambiguities };
}
