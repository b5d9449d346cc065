import { toNumbers } from '@drover/core';
import { weightsDiagnostics } from './diagnostics.js';
import { digestOf } from './digest.js';
import { fits, misfitOf } from './fit.js';
import { folded, layerBefore, statisticsOf, type Folded } from './folded.js';
import type { Kind, Layer, Parts } from './layer.js';
import { matchLayers, type Evidence, type Match, type Matching } from './match.js';
import type { Side } from './pair-sides.js';
import type { Rules } from './rules.js';
import { unrolled } from './unrolled.js';

/** What is known beforehand. */
export interface Hints {
  readonly rules?: Rules | undefined;
  /** Epsilon of batch normalisations that are folded; their framework's own where it is absent. */
  readonly epsilon?: number | undefined;
}

/** One way to look at what is left. */
type Round<T, S> = (matching: Matching<T, S>, evidence: Evidence) => Promise<Matching<T, S>>;

/**
 * Matches layers as they are, and as what exporters make of them: a batch normalisation that is
 * computed into the layer before it, a bias of zeros that was left out, a recurrence whose steps
 * stand one by one. Order counts when nothing else is left to tell.
 */
export async function matchAsExported<T, S>(
  target: Side<T>,
  source: Side<S>,
  { rules, epsilon }: Hints,
): Promise<Matching<T, S>> {
  const rounds: readonly Round<T, S>[] = [
    (matching, evidence) => withOthers(matching, target, source, evidence),
    (matching, evidence) => withFolded(matching, target, source, epsilon, evidence),
    (matching, evidence) => withBiases(matching, target, source, evidence),
    (matching, evidence) => withoutBiases(matching, target, source, evidence),
    (matching, evidence) => withUnrolled(matching, target, source, evidence),
  ];
  let matching = withRules(target, source, rules);
  for (const evidence of ['own', 'order'] as const)
    for (const round of rounds) matching = await round(matching, evidence);
  return withTwins(matching);
}

/**
 * Targets that hold what another holds, and share its source: steps of a recurrence, and weights
 * that are tied. They hold the same tensors, or the same values; an embedding and the projection
 * back to its rows hold them the other way round.
 */
async function withTwins<T, S>(matching: Matching<T, S>): Promise<Matching<T, S>> {
  const matches = [...matching.matches];
  const missing: Layer<T>[] = [];
  const tensorsOf = ({ tensors }: Layer<T>) => tensors.toSorted().join();
  const byTensors = new Map(
    matching.matches.map((match) => [`${match.fit.kind} ${tensorsOf(match.target)}`, match]),
  );
  const byValues = new Map<string, Match<T, S>>();
  if (matching.missing.length > 0)
    for (const match of matching.matches) {
      const parts = valuesOf(match.fit.kind, match.fit.target.parts);
      if (parts) byValues.set(await digestOf(parts), match);
    }
  for (const layer of matching.missing) {
    const [kind] = layer.kinds;
    const parts = kind && valuesOf(kind, layer.forms(kind)[0]!.parts);
    const twin =
      byTensors.get(`${kind} ${tensorsOf(layer)}`) ??
      (parts ? byValues.get(await digestOf(parts)) : undefined);
    const fit = twin && fits(layer, twin.source)[0];
    if (fit) matches.push({ ...twin, target: layer, fit });
    else missing.push(layer);
  }
  return { ...matching, matches, missing };
}

/** What tells that two layers hold the same; vectors of normalisations are alike without that. */
function valuesOf(kind: Kind, parts: Parts): Parts | undefined {
  if (kind === 'normalization' || kind === 'slopes') return undefined;
  const weight = parts.get('weight');
  return kind === 'embedding' && weight ? new Map([['weight', weight.transpose([1, 0])]]) : parts;
}

/** The layers that rules name. Throws `weights/none` and `weights/shape` for what they have not. */
function withRules<T, S>(
  target: Side<T>,
  source: Side<S>,
  rules: Rules | undefined,
): Matching<T, S> {
  const matches = [...(rules?.layers ?? [])].map(([to, from]): Match<T, S> => {
    const fault = (key: 'none' | 'shape', message: string) =>
      weightsDiagnostics.error(key, { message, origin: { file: '', node: to } });
    const own = target.layers.find(({ title }) => title === to);
    if (!own) throw fault('none', `The target has no layer ${JSON.stringify(to)}.`);
    const its = source.layers.find(({ title }) => title === from);
    if (!its) throw fault('none', `The source has no layer ${JSON.stringify(from)}.`);
    const grown = target.withBias?.(own);
    const fit = fits(own, its)[0] ?? (grown && fits(grown, its)[0]);
    if (!fit) throw fault('shape', `${from} does not fit ${to}: ${misfitOf(own, its)}.`);
    return { target: own, source: its, fit, ground: 'rule' };
  });
  const [targets, sources] = [
    new Set(matches.map((match) => match.target)),
    new Set(matches.map((match) => match.source)),
  ];
  return {
    matches,
    ambiguities: [],
    missing: target.layers.filter((layer) => !targets.has(layer)),
    extra: source.layers.filter((layer) => !sources.has(layer)),
  };
}

async function withOthers<T, S>(
  matching: Matching<T, S>,
  target: Side<T>,
  source: Side<S>,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  const more = await matchLayers(
    { layers: matching.missing, isOrdered: (a, b) => target.isOrdered(a, b) },
    { layers: matching.extra, isOrdered: (a, b) => source.isOrdered(a, b) },
    evidence,
  );
  return joined(matching, more);
}

/** A matching, and what was found among what it left. */
function joined<T, S>(
  { matches, ambiguities }: Pick<Matching<T, S>, 'matches' | 'ambiguities'>,
  more: Matching<T, S>,
): Matching<T, S> {
  return {
    matches: [...matches, ...more.matches],
    ambiguities: [...ambiguities, ...more.ambiguities],
    missing: more.missing,
    extra: more.extra,
  };
}

async function withFolded<T, S>(
  matching: Matching<T, S>,
  target: Side<T>,
  source: Side<S>,
  epsilon: number | undefined,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  const pairs = matching.extra
    .filter((layer) => statisticsOf(layer))
    .flatMap((normalization): readonly Folded<S>[] => {
      const before = layerBefore(normalization, source.layers);
      return before ? [folded(before, normalization, epsilon)] : [];
    });
  if (pairs.length === 0) return matching;
  const parts = new Set(pairs.flatMap(({ layer, normalization }) => [layer, normalization]));
  const isFree = (match: Match<T, S>) => !parts.has(match.source);
  const kept = matching.matches.filter(isFree);
  const freed = matching.matches.filter((match) => !isFree(match)).map((match) => match.target);
  const places = new Map(source.layers.map((layer, i) => [layer, i]));
  const placeOf = (layer: Layer<S>) => places.get(own(layer)) ?? -1;
  const order = new Map(target.layers.map((layer, i) => [layer, i]));
  const wanted = [...matching.missing, ...freed].toSorted((a, b) => order.get(a)! - order.get(b)!);
  // A bias of zeros may have been left out, unless a normalisation is there to be filled itself.
  const isKept = wanted.some((layer) => statisticsOf(layer));
  const before = new Map(
    wanted.map((layer) => [isKept ? layer : (target.withBias?.(layer) ?? layer), layer]),
  );
  const more = await matchLayers(
    {
      layers: [...before.keys()],
      isOrdered: (a, b) => target.isOrdered(before.get(a)!, before.get(b)!),
    },
    {
      layers: [...matching.extra.filter((layer) => !parts.has(layer)), ...pairs].toSorted(
        (a, b) => placeOf(a) - placeOf(b),
      ),
      isOrdered: (a, b) => source.isOrdered(own(a), own(b)),
    },
    evidence,
  );
  const extra = new Set(
    more.extra.flatMap((layer) => (isFolded(layer) ? [layer.layer, layer.normalization] : [layer])),
  );
  const missing = new Set(more.missing.map((layer) => before.get(layer)!));
  // What was found for the layer alone stands, where nothing was found with its normalisation.
  const restored = matching.matches.filter((match) => !isFree(match) && missing.has(match.target));
  for (const match of restored) {
    missing.delete(match.target);
    extra.delete(match.source);
  }
  return joined(
    { matches: [...kept, ...restored], ambiguities: matching.ambiguities },
    { ...more, missing: [...missing], extra: [...extra] },
  );
}

/** Whether a source is a layer with a normalisation computed into it. */
export const isFolded = <P>(layer: Layer<P>): layer is Folded<P> => 'normalization' in layer;
const own = <P>(layer: Layer<P>): Layer<P> => (isFolded(layer) ? layer.layer : layer);

/** Layers of the target whose biases are zeros, which their sources may have none of. */
async function withoutBiases<T, S>(
  matching: Matching<T, S>,
  target: Side<T>,
  source: Side<S>,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  const before = new Map<Layer<T>, Layer<T>>();
  for (const layer of matching.missing) {
    const bare = await withoutZeros(layer);
    if (bare) before.set(bare, layer);
  }
  if (before.size === 0) return matching;
  const more = await matchLayers(
    {
      layers: [...before.keys()],
      isOrdered: (a, b) => target.isOrdered(before.get(a)!, before.get(b)!),
    },
    { layers: matching.extra, isOrdered: (a, b) => source.isOrdered(a, b) },
    evidence,
  );
  const found = new Set(more.matches.map((match) => before.get(match.target)!));
  return joined(matching, {
    ...more,
    missing: matching.missing.filter((layer) => !found.has(layer)),
  });
}

/** A layer without its bias, where that is zeros. */
async function withoutZeros<P>(layer: Layer<P>): Promise<Layer<P> | undefined> {
  const [kind] = layer.kinds;
  const [form] = kind ? layer.forms(kind) : [];
  const bias = form?.parts.get('bias');
  if (!form || !bias || !form.parts.has('weight')) return undefined;
  if (!toNumbers(await bias.tensor()).every((element) => element === 0)) return undefined;
  const parts = new Map([...form.parts].filter(([role]) => role !== 'bias'));
  return { ...layer, forms: (asked) => (asked === kind ? [{ ...form, parts }] : []) };
}

async function withBiases<T, S>(
  matching: Matching<T, S>,
  target: Side<T>,
  source: Side<S>,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  const before = new Map<Layer<T>, Layer<T>>();
  const layers = matching.missing.map((layer) => {
    const grown = target.withBias?.(layer) ?? layer;
    before.set(grown, layer);
    return grown;
  });
  if (layers.every((layer) => before.get(layer) === layer)) return matching;
  const more = await matchLayers(
    { layers, isOrdered: (a, b) => target.isOrdered(before.get(a)!, before.get(b)!) },
    { layers: matching.extra, isOrdered: (a, b) => source.isOrdered(a, b) },
    evidence,
  );
  return joined(matching, { ...more, missing: more.missing.map((layer) => before.get(layer)!) });
}

async function withUnrolled<T, S>(
  matching: Matching<T, S>,
  target: Side<T>,
  source: Side<S>,
  evidence: Evidence,
): Promise<Matching<T, S>> {
  const whole = new Map<Layer<S>, Layer<S>>();
  const layers = matching.extra.flatMap((layer) => {
    const steps = unrolled(layer);
    for (const step of steps) whole.set(step, layer);
    return steps.length > 0 ? steps : [layer];
  });
  if (whole.size === 0 || matching.missing.length === 0) return matching;
  const more = await matchLayers(
    { layers: matching.missing, isOrdered: (a, b) => target.isOrdered(a, b) },
    {
      layers,
      isOrdered: (a, b) => source.isOrdered(whole.get(a) ?? a, whole.get(b) ?? b),
    },
    evidence,
  );
  const extra = [...new Set(more.extra.map((layer) => whole.get(layer) ?? layer))];
  return joined(matching, { ...more, extra });
}
