import { sizeOf, type Weight } from '@drover/core';
import { digestOf } from './digest.js';
import type { Layer, Loose } from './layer.js';
import { nameLikeness } from './alike.js';
import { weightsDiagnostics } from './diagnostics.js';
import { matchAsExported, type Hints } from './match-as-exported.js';
import type { Ground } from './match.js';
import type { Rules } from './rules.js';
import { settleLayouts, type SettledLayouts } from './settle-layouts.js';
import { parseTensorName } from './tensor-name.js';

/** The tensors of a model or a checkpoint. */
export interface Side<P> {
  /** In the order of computation or of the file. */
  readonly layers: readonly Layer<P>[];
  readonly loose: readonly Loose<P>[];
  /** The tensor of a name, or of one of its other names, as a loose one. */
  tensor(name: string): Loose<P> | undefined;
  /** Whether the order of two layers means something. */
  isOrdered(a: Layer<P>, b: Layer<P>): boolean;
  /** A layer that has no bias, with a place for one; undefined where none can be made. */
  withBias?(layer: Layer<P>): Layer<P> | undefined;
}

/** A loose tensor of the target and the one of the source that it holds, or whose rows it holds. */
interface Link<T, S> {
  readonly target: Loose<T>;
  readonly source: Loose<S>;
  readonly ground: Ground;
  /** First row of the source, where the target holds some of them. */
  readonly firstRow: number | undefined;
}

/** What was found between two sides. */
export interface Pairing<T, S> extends SettledLayouts<T, S> {
  /** Layers of the target without a source. */
  readonly missing: readonly Layer<T>[];
  /** Sources that no target takes. */
  readonly extraLayers: readonly Layer<S>[];
  readonly links: readonly Link<T, S>[];
  /** Tensors of the source that nothing takes. */
  readonly extra: readonly Loose<S>[];
  /** Loose tensors of the target that no source was found for. */
  readonly unlinked: readonly Loose<T>[];
}

const withoutOnes = ({ shape }: Weight) => shape.filter((size) => size !== 1).join();

/** First row of a table from which its rows are another tensor's, by values; undefined: none. */
async function firstRowOf(table: Weight, rows: Weight): Promise<number | undefined> {
  const [whole, part] = await Promise.all([table.bytes(), rows.bytes()]);
  const size = whole.length / table.shape[0]!;
  for (let at = 0; at + part.length <= whole.length; at += size) {
    let i = 0;
    while (i < part.length && whole[at + i] === part[i]) i++;
    if (i === part.length) return at / size;
  }
  return undefined;
}

/** Whether a tensor can be some of the rows of a table. */
const canBeRows = (table: Weight, rows: Weight) =>
  table.shape.length === 2 &&
  rows.dtype === table.dtype &&
  rows.shape.at(-1) === table.shape[1] &&
  sizeOf(rows.shape) < sizeOf(table.shape);

/** Pairs the layers of two sides (see {@link matchAsExported}), then the tensors that are left. */
export async function pairSides<T, S>(
  target: Side<T>,
  source: Side<S>,
  hints: Hints = {},
): Promise<Pairing<T, S>> {
  const { extra: left, missing, ...found } = await matchAsExported(target, source, hints);
  const settled = settleLayouts(found.matches);
  // By their own names: a tensor with several belongs to a layer by each of them.
  const tensorsOf = ({ tensors }: Layer<S>) => tensors.flatMap((name) => source.tensor(name) ?? []);
  const matched = new Set(
    found.matches.flatMap((each) => tensorsOf(each.source).map(({ name }) => name)),
  );
  const loose = new Map(
    [...source.loose, ...left.flatMap(tensorsOf)].map((each) => [each.name, each]),
  );
  const open = new Set([...loose.values()].filter(({ name }) => !matched.has(name)));
  const [links, unlinked] = await linkLoose(target.loose, open, hints.rules);
  const linked = new Set(links.map((each) => each.source));
  return {
    matches: settled.matches,
    ambiguities: [...found.ambiguities, ...settled.ambiguities],
    missing,
    links,
    unlinked,
    extraLayers: left,
    extra: [...open].filter((each) => !linked.has(each)),
  };
}

async function linkLoose<T, S>(
  targets: readonly Loose<T>[],
  sources: ReadonlySet<Loose<S>>,
  rules: Rules | undefined,
): Promise<readonly [readonly Link<T, S>[], readonly Loose<T>[]]> {
  const links: Link<T, S>[] = [];
  const unlinked: Loose<T>[] = [];
  for (const target of targets) {
    const link = await linkOf(target, targets, [...sources], rules?.tensors.get(target.name));
    if (link) links.push(link);
    else unlinked.push(target);
  }
  return [links, unlinked];
}

const pathOf = ({ name }: Loose<unknown>) => parseTensorName(name)?.path ?? name.split(/[./]/);
const namesOf = (loose: Loose<unknown>) => [{ path: pathOf(loose), trust: 1 }];

async function linkOf<T, S>(
  target: Loose<T>,
  targets: readonly Loose<T>[],
  sources: readonly Loose<S>[],
  ruled: string | undefined,
): Promise<Link<T, S> | undefined> {
  const { weight } = target;
  const isShaped = (each: Loose<unknown>) => withoutOnes(each.weight) === withoutOnes(weight);
  const shaped = sources.filter(isShaped);
  const link = (source: Loose<S>, ground: Ground, firstRow?: number): Link<T, S> => ({
    target,
    source,
    ground,
    firstRow,
  });
  if (ruled !== undefined) {
    const source = sources.find(({ name }) => name === ruled);
    if (source && shaped.includes(source)) return link(source, 'rule');
    if (source && canBeRows(source.weight, weight)) return link(source, 'rule', 0);
    throw weightsDiagnostics.error(source ? 'shape' : 'none', {
      message: source
        ? `${ruled} is [${source.weight.shape.join(', ')}], which ${target.name} does not hold: it is [${weight.shape.join(', ')}].`
        : `The source has no tensor ${JSON.stringify(ruled)} that is left.`,
      origin: { file: '', node: target.name },
    });
  }
  const named = shaped.filter((each) => nameLikeness(namesOf(each), namesOf(target)) > 0);
  if (named.length === 1) return link(named[0]!, 'name');
  for (const source of shaped)
    if ((await digestOf(source.weight.reshape(weight.shape))) === (await digestOf(weight)))
      return link(source, 'values');
  const tables = sources.filter((each) => canBeRows(each.weight, weight));
  for (const source of tables) {
    const first = await firstRowOf(source.weight, weight);
    if (first !== undefined) return link(source, 'values', first);
  }
  const alike = targets.filter(isShaped);
  if (shaped.length === 1 && alike.length === 1) return link(shaped[0]!, 'order');
  const rivals = targets.filter((each) =>
    tables.some((table) => canBeRows(table.weight, each.weight)),
  );
  return shaped.length === 0 && tables.length === 1 && rivals.length === 1
    ? link(tables[0]!, 'order', 0)
    : undefined;
}
