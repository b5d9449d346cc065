import { isFloat, type Report, type Weight } from '@drover/core';
import { listed } from '@drover/core/format';
import { nameLikeness } from './alike.js';
import { weightsDiagnostics } from './diagnostics.js';
import { misfitOf } from './fit.js';
import { isFolded } from './folded.js';
import type { Layer } from './layer.js';
import { isNamedBy } from './name-pattern.js';
import type { Pairing } from './pair-sides.js';

/** What may be left without an error: patterns of names, as {@link isNamedBy} reads them. */
export interface Allowed {
  readonly missing?: readonly string[] | undefined;
  readonly extra?: readonly string[] | undefined;
}

/** Tensors that training frameworks keep beside those that inference reads: counts, places. */
const unread = ['*num_batches_tracked', '*rotary_emb.inv_freq'];

/** The same, where they are no weights: not floats, or masks over places. */
const unreadMasks = [
  '*position_ids',
  '*token_type_ids',
  '*.attn.bias',
  '*.attn.masked_bias',
  '*relative_position_index',
];

/** Whether a tensor is known to be read by training alone, or to be made anew. */
export const isUnread = (name: string, { dtype, shape }: Weight): boolean =>
  isNamedBy(name, unread) ||
  (isNamedBy(name, unreadMasks) && (!isFloat(dtype) || shape.length === 0 || shape.length === 4));

/** The names of the files that weights are carried from and to. */
export interface Files {
  readonly target: string;
  readonly source: string;
}

/**
 * Tells everything that was not found between two sides: layers of the target without a source, of
 * another shape, and tensors of the source without a place.
 */
export function reportUnfound<T, S>(
  { missing, extra, extraLayers, ambiguities }: Pairing<T, S>,
  files: Files,
  allowed: Allowed,
  report: Report,
): void {
  // What is ambiguous is told as that.
  const told = new Set(
    ambiguities.flatMap(({ sources }) => sources.flatMap((each) => each.tensors)),
  );
  const left = new Set(extra.map(({ name }) => name));
  const open = extraLayers.filter(({ tensors }) => tensors.some((name) => left.has(name)));
  for (const layer of missing) {
    if (layer.tensors.every((name) => isNamedBy(name, allowed.missing ?? []))) continue;
    const origin = { file: files.target, node: layer.title };
    const alike = open.find((each) => nameLikeness(layer.names, each.names) > 0);
    if (alike && alike.tensors.every((name) => !told.has(name))) {
      for (const name of alike.tensors) told.add(name);
      report.add(
        weightsDiagnostics.diagnostic('shape', {
          message: `${alike.title} of ${files.source} does not fit ${layer.title}: ${misfitOf(layer, alike)}.`,
          origin,
        }),
      );
    } else
      report.add(
        weightsDiagnostics.diagnostic('missing', {
          message: `${files.source} has nothing for ${layer.title}, ${shapesOf(layer)}.`,
          origin,
        }),
      );
  }
  for (const each of extra) if (!told.has(each.name)) reportExtra(each, files, allowed, report);
}

/** Tells that a tensor of the source has no place, unless it may be left out. */
export function reportExtra(
  { name, weight }: { readonly name: string; readonly weight: Weight },
  files: Files,
  allowed: Allowed,
  report: Report,
): void {
  if (isNamedBy(name, allowed.extra ?? [])) return;
  const origin = { file: files.source, node: name };
  report.add(
    isUnread(name, weight)
      ? weightsDiagnostics.diagnostic('kept', {
          message: `${name} is read by training alone.`,
          origin,
        })
      : weightsDiagnostics.diagnostic('extra', {
          message: `${name}, ${typeText(weight)}, has no place in ${files.target}.`,
          origin,
        }),
  );
}

/** Type and shape, for people. */
export const typeText = ({ dtype, shape }: Weight): string => `${dtype}[${shape.join(', ')}]`;

/** Tells what could be either as errors, and what was found on weak grounds as warnings. */
export function reportGrounds<T, S>(
  { matches, links, ambiguities }: Pairing<T, S>,
  files: Files,
  report: Report,
): void {
  for (const { targets, sources } of ambiguities)
    report.add(
      weightsDiagnostics.diagnostic('ambiguous', {
        message:
          targets.length === 1
            ? `${targets[0]!.title} could hold ${sources[0]!.title} either way round.`
            : `${listed(targets.map(({ title }) => title))} could each hold any of ${listed(sources.map(({ title }) => title))}.`,
        origin: { file: files.target, node: targets[0]!.title },
      }),
    );
  const computed = matches.flatMap(({ source }) => (isFolded(source) ? [source] : []));
  if (computed.length > 0) {
    const epsilons = [...new Set(computed.map(({ epsilon }) => epsilon))].join(' and ');
    report.add(
      weightsDiagnostics.diagnostic('folded', {
        message: `${computed.length} batch normalisations of ${files.source} are computed into the layers before them with an epsilon of ${epsilons}: ${listed(computed.map(({ normalization }) => normalization.title))}.`,
        origin: { file: files.target },
      }),
    );
  }
  const guessed = matches.filter(({ ground }) => ground === 'order');
  if (guessed.length > 0)
    report.add(
      weightsDiagnostics.diagnostic('by-order', {
        message: `${guessed.length} of ${matches.length} layers are matched by shape and order: ${listed(guessed.map(({ source, target }) => `${source.title} → ${target.title}`))}.`,
        origin: { file: files.target },
      }),
    );
  for (const { target, source, ground, firstRow } of links)
    if (ground === 'order')
      report.add(
        firstRow === undefined
          ? weightsDiagnostics.diagnostic('by-order', {
              message: `${source.name} is taken for ${target.name}: no other has its shape.`,
              origin: { file: files.target, node: target.name },
            })
          : weightsDiagnostics.diagnostic('rows', {
              message: `${target.name} is taken for the first rows of ${source.name}.`,
              origin: { file: files.target, node: target.name },
            }),
      );
}

function shapesOf<P>({ forms: [{ kind, parts }] }: Layer<P>): string {
  const shapes = [...parts].map(([role, { shape }]) => `${role} [${shape.join(', ')}]`);
  return `a ${kind} with ${shapes.join(', ')}`;
}
