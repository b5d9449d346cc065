import { toNumbers } from '@drover/core';
import { weightsDiagnostics } from './diagnostics.js';
import { digestOfParts } from './digest.js';
import { fits, misfitOf } from './fit.js';
import { folded, layerBefore, statisticsOf } from './folded.js';
import type { Form, Layer, Parts } from './layer.js';
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

/** Layers as they are looked at, and each with the layer that it is of its file. */
type Views<P> = ReadonlyMap<Layer<P>, Layer<P>>;

/** Both sides, and how far what is found may rest on order. */
interface Attempt<T, S> {
  readonly target: Side<T>;
  readonly source: Side<S>;
  readonly evidence: Evidence;
}

/**
 * Matches layers as they are, and as what exporters make of them: a batch normalisation that is
 * computed into the layer before it, a bias of zeros that was left out or put in, a recurrence
 * whose steps stand one by one. Order counts when nothing else is left to tell.
 */
export async function matchAsExported<T, S>(
  target: Side<T>,
  source: Side<S>,
  { rules, epsilon }: Hints,
): Promise<Matching<T, S>> {
  let matching = withRules(target, source, rules);
  for (const evidence of ['own', 'order'] as const) {
    const attempt = { target, source, evidence };
    matching = await among(
      matching,
      attempt,
      asTheyAre(matching.missing),
      asTheyAre(matching.extra),
    );
    matching = await withFolded(matching, attempt, epsilon);
    matching = await withBiases(matching, attempt);
    matching = await withoutBiases(matching, attempt);
    matching = await withUnrolled(matching, attempt);
  }
  return withTwins(matching);
}

const asTheyAre = <P>(layers: readonly Layer<P>[]): Views<P> =>
  new Map(layers.map((layer) => [layer, layer]));

/**
 * What is found among some views of what is left. A target whose view is matched is found; a source
 * is left while one of its views is.
 */
async function among<T, S>(
  { matches, ambiguities, missing, extra }: Matching<T, S>,
  { target, source, evidence }: Attempt<T, S>,
  targets: Views<T>,
  sources: Views<S>,
): Promise<Matching<T, S>> {
  const found = await matchLayers(
    {
      layers: [...targets.keys()],
      isOrdered: (a, b) => target.isOrdered(targets.get(a)!, targets.get(b)!),
    },
    {
      layers: [...sources.keys()],
      isOrdered: (a, b) => source.isOrdered(sources.get(a)!, sources.get(b)!),
    },
    evidence,
  );
  const seen = new Set(targets.values());
  const open = new Set(found.missing.map((view) => targets.get(view)!));
  const shown = new Set(sources.values());
  const left = new Set(found.extra.map((view) => sources.get(view)!));
  return {
    matches: [...matches, ...found.matches],
    ambiguities: [...ambiguities, ...found.ambiguities],
    missing: missing.filter((layer) => !seen.has(layer) || open.has(layer)),
    extra: extra.filter((layer) => !shown.has(layer) || left.has(layer)),
  };
}

/** Batch normalisations that are computed into the layers before them. */
async function withFolded<T, S>(
  matching: Matching<T, S>,
  attempt: Attempt<T, S>,
  epsilon: number | undefined,
): Promise<Matching<T, S>> {
  const { target, source } = attempt;
  const pairs = matching.extra
    .filter((layer) => statisticsOf(layer))
    .flatMap((normalization) => {
      const before = layerBefore(normalization, source.layers);
      return (before && folded(before, normalization, epsilon)) ?? [];
    });
  if (pairs.length === 0) return matching;
  // A layer may have been found alone, where the normalisation was not.
  const layers = new Set(pairs.map(({ layer }) => layer));
  const alone = matching.matches.filter((match) => layers.has(match.source));
  const freed = new Set(alone.map((match) => match.target));
  const missing = new Set(matching.missing);
  const wanted = target.layers.filter((layer) => missing.has(layer) || freed.has(layer));
  // A bias of zeros may have been left out, unless a normalisation is there to be filled itself.
  const isKept = wanted.some((layer) => statisticsOf(layer));
  const found = await among(
    { matches: [], ambiguities: [], missing: wanted, extra: pairs },
    attempt,
    new Map(wanted.map((each) => [isKept ? each : (target.withBias?.(each) ?? each), each])),
    new Map(pairs.map((pair) => [pair, pair.layer])),
  );
  const isFound = new Set(found.matches.flatMap(({ source: { tensors } }) => tensors));
  const isOpen = new Set(found.missing);
  const stands = (match: Match<T, S>) => !freed.has(match.target) || isOpen.has(match.target);
  return {
    matches: [...matching.matches.filter(stands), ...found.matches],
    ambiguities: [...matching.ambiguities, ...found.ambiguities],
    missing: found.missing.filter((layer) => missing.has(layer)),
    extra: matching.extra.filter(({ tensors }) => !tensors.every((name) => isFound.has(name))),
  };
}

/** Layers of the target without a bias, whose sources have one: it was zeros. */
function withBiases<T, S>(
  matching: Matching<T, S>,
  attempt: Attempt<T, S>,
): Promise<Matching<T, S>> {
  const grown = matching.missing.flatMap((layer) => {
    const view = attempt.target.withBias?.(layer);
    return view ? [[view, layer] as const] : [];
  });
  return among(matching, attempt, new Map(grown), asTheyAre(matching.extra));
}

/** Layers of the target whose biases are zeros, which their sources may have none of. */
async function withoutBiases<T, S>(
  matching: Matching<T, S>,
  attempt: Attempt<T, S>,
): Promise<Matching<T, S>> {
  const views = new Map<Layer<T>, Layer<T>>();
  for (const layer of matching.missing) {
    const bare = await withoutZeros(layer.forms[0]);
    if (bare) views.set({ ...layer, forms: [bare] }, layer);
  }
  return among(matching, attempt, views, asTheyAre(matching.extra));
}

/** A form without its bias, where that is zeros. */
async function withoutZeros<P>(form: Form<P>): Promise<Form<P> | undefined> {
  const bias = form.parts.get('bias');
  if (!bias || !form.parts.has('weight')) return undefined;
  if (toNumbers(await bias.tensor()).some((element) => element !== 0)) return undefined;
  return { ...form, parts: new Map([...form.parts].filter(([role]) => role !== 'bias')) };
}

/** Recurrences of the source whose steps stand one by one. */
function withUnrolled<T, S>(
  matching: Matching<T, S>,
  attempt: Attempt<T, S>,
): Promise<Matching<T, S>> {
  const views = matching.extra.flatMap((layer) =>
    unrolled(layer).map((step) => [step, layer] as const),
  );
  return among(matching, attempt, asTheyAre(matching.missing), new Map(views));
}

/**
 * Targets that hold what another holds, and share its source: steps of a recurrence, and weights
 * that are tied. They hold the same tensors, or the same values; an embedding and the projection
 * back to its rows hold them the other way round.
 */
async function withTwins<T, S>(matching: Matching<T, S>): Promise<Matching<T, S>> {
  if (matching.missing.length === 0) return matching;
  const matches = [...matching.matches];
  const missing: Layer<T>[] = [];
  const tensorsOf = ({ tensors, forms: [{ kind }] }: Layer<T>) =>
    JSON.stringify([kind, tensors.toSorted()]);
  const byTensors = new Map(matching.matches.map((match) => [tensorsOf(match.target), match]));
  const byValues = new Map<string, Match<T, S>>();
  for (const match of matching.matches) {
    const parts = valuesOf(match.fits[0].target);
    if (parts) byValues.set(await digestOfParts(parts), match);
  }
  for (const layer of matching.missing) {
    const parts = valuesOf(layer.forms[0]);
    const twin =
      byTensors.get(tensorsOf(layer)) ?? (parts && byValues.get(await digestOfParts(parts)));
    const [first, ...more] = twin ? fits(layer, twin.source) : [];
    if (twin && first) matches.push({ ...twin, target: layer, fits: [first, ...more] });
    else missing.push(layer);
  }
  return { ...matching, matches, missing };
}

/** What tells that two layers hold the same; vectors of normalisations are alike without that. */
function valuesOf<P>({ kind, parts }: Form<P>): Parts | undefined {
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
    const [first, ...more] = [own, target.withBias?.(own)].flatMap((view) =>
      view ? fits(view, its) : [],
    );
    if (!first) throw fault('shape', `${from} does not fit ${to}: ${misfitOf(own, its)}.`);
    return { target: own, source: its, fits: [first, ...more], ground: 'rule' };
  });
  const targets = new Set(matches.map((match) => match.target));
  const sources = new Set(matches.map((match) => match.source));
  return {
    matches,
    ambiguities: [],
    missing: target.layers.filter((layer) => !targets.has(layer)),
    extra: source.layers.filter((layer) => !sources.has(layer)),
  };
}
