import type { Report } from '@drover/core';
import { nameLikeness } from './alike.js';
import { weightsDiagnostics } from './diagnostics.js';
import { misfitOf, waysOf } from './fit.js';
import { isFolded } from './match-as-exported.js';
import type { Layer } from './layer.js';
import { isNamedBy } from './name-pattern.js';
import type { Pairing } from './pair-sides.js';

/** What may be left without an error: patterns of names, as {@link isNamedBy} reads them. */
export interface Allowed {
  readonly missing?: readonly string[] | undefined;
  readonly extra?: readonly string[] | undefined;
}

/** Tensors that training frameworks keep beside those that inference reads. */
const unread = [
  '*num_batches_tracked',
  '*position_ids',
  '*token_type_ids',
  '*.attn.bias',
  '*.attn.masked_bias',
  '*relative_position_index',
  '*rotary_emb.inv_freq',
];

/** Whether a tensor of a name is known to be read by training alone, or to be made anew. */
export const isUnread = (name: string): boolean => isNamedBy(name, unread);

const listed = (names: readonly string[]) =>
  names.length > 8
    ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more`
    : names.join(', ');

/**
 * Tells everything that was not found between two sides as errors, and what was found on weak
 * grounds as warnings. `files` are the names of both.
 */
export function reportPairing<T, S>(
  { matches, links, missing, extra, extraLayers, ambiguities }: Pairing<T, S>,
  files: { readonly target: string; readonly source: string },
  allowed: Allowed,
  report: Report,
): void {
  const told = new Set<string>();
  const isAllowed = (name: string, patterns: readonly string[] = []) => isNamedBy(name, patterns);
  for (const { targets, sources: candidates } of ambiguities) {
    for (const name of candidates.flatMap(({ tensors }) => tensors)) told.add(name);
    report.add(
      weightsDiagnostics.diagnostic('ambiguous', {
        message: `${listed(targets.map(({ title }) => title))} could each hold any of ${listed(candidates.map(({ title }) => title))}.`,
        origin: { file: files.target, node: targets[0]!.title },
      }),
    );
  }
  const left = new Set(extra.map(({ name }) => name));
  const open = extraLayers.filter(({ tensors }) => tensors.some((name) => left.has(name)));
  for (const layer of missing) {
    const names = layer.tensors;
    if (names.every((name) => isAllowed(name, allowed.missing))) continue;
    const alike = open.find((each) => nameLikeness(layer.names, each.names) > 0);
    if (alike && alike.tensors.every((name) => !told.has(name))) {
      for (const name of alike.tensors) told.add(name);
      report.add(
        weightsDiagnostics.diagnostic('shape', {
          message: `${alike.title} of ${files.source} does not fit ${layer.title}: ${misfitOf(layer, alike)}.`,
          origin: { file: files.target, node: layer.title },
        }),
      );
    } else
      report.add(
        weightsDiagnostics.diagnostic('missing', {
          message: `${files.source} has nothing for ${layer.title}, ${shapesOf(layer)}.`,
          origin: { file: files.target, node: layer.title },
        }),
      );
  }
  for (const { name, weight } of extra) {
    if (told.has(name) || isAllowed(name, allowed.extra)) continue;
    const origin = { file: files.source, node: name };
    if (isUnread(name))
      report.add(
        weightsDiagnostics.diagnostic('kept', {
          message: `${name} is read by training alone.`,
          origin,
        }),
      );
    else
      report.add(
        weightsDiagnostics.diagnostic('extra', {
          message: `${name}, ${weight.dtype}[${weight.shape.join(', ')}], has no place in ${files.target}.`,
          origin,
        }),
      );
  }
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

function shapesOf<P>(layer: Layer<P>): string {
  const [, parts] = waysOf(layer)[0]!;
  const shapes = [...parts].map(([role, { shape }]) => `${role} [${shape.join(', ')}]`);
  return `a ${layer.kinds[0]} with ${shapes.join(', ')}`;
}
