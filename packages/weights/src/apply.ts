import {
  isModel,
  Report,
  sizeOf,
  TensorStore,
  Weight,
  type Checkpoint,
  type Model,
  type Value,
} from '@drover/core';
import { reportEntriesLeft } from '@drover/core/format';
import { convertedTo } from './converted.js';
import { weightsDiagnostics } from './diagnostics.js';
import { digestOf } from './digest.js';
import { withEpsilons } from './folded-epsilon.js';
import { constantAt, setConstant } from './operand.js';
import type { Held } from './layer.js';
import type { Hints } from './match-as-exported.js';
import { settleConstants } from './loose-constants.js';
import { isNamedBy } from './name-pattern.js';
import { pairSides, type Pairing, type Side } from './pair-sides.js';
import { joinRows } from './join-rows.js';
import {
  isUnread,
  reportExtra,
  reportGrounds,
  reportUnfound,
  typeText,
  type Allowed,
  type Files,
} from './report-pairing.js';
import { checkpointSide, modelSide } from './sides.js';
import { substituted } from './substitute.js';

/** What carries its tensors into what. */
export interface Application extends Hints {
  /** Where the new weights are. */
  readonly weights: Model | Checkpoint;
  /**
   * A checkpoint with the names of `weights` and the values that the target holds now: layers are
   * found by its values, and filled from `weights`.
   */
  readonly like?: Checkpoint | undefined;
  readonly allow?: Allowed | undefined;
  /** Collects findings. */
  readonly report?: Report | undefined;
}

/**
 * A model with other weights: the same graph, its layers filled from a checkpoint or another model.
 * Which tensor is whose is found, by names, by values and by order; no elements are read unless
 * names leave something open. Throws a ConversionError that names every tensor without a source,
 * without a place, of another shape, or of which nothing tells where it belongs.
 */
export async function applyToModel(onto: Model, application: Application): Promise<Model> {
  const { report = new Report() } = application;
  const target = await modelSide(onto);
  const found = await newWeights(target, onto.file, application, report);
  const made: Value[] = [];
  for (const [place, weight] of joinRows(found, constantAt)) {
    const own = constantAt(place);
    const name = weight.name ?? own.name ?? place.node.name;
    const filled = await convertedTo(weight, own.dtype, name, report);
    const known = made.find(({ constant }) => constant!.same(filled));
    if (!known) made.push(place.graph.constant(filled, name));
    setConstant(place, known ?? made.at(-1)!);
  }
  reportEntriesLeft(onto, report);
  return onto.ofGraphs(new Map([[onto.main, target.graph]]));
}

/** A checkpoint with other weights, under its own names and layouts; see {@link applyToModel}. */
export async function applyToCheckpoint(
  onto: Checkpoint,
  application: Application,
): Promise<Checkpoint> {
  const { report = new Report() } = application;
  const target = checkpointSide(onto.store);
  const found = await newWeights(target, onto.file, application, report);
  return { ...onto, store: await filled(onto.store, found, report) };
}

/** A store whose tensors hold other weights, in their own types. */
export async function filled(
  store: TensorStore,
  held: Iterable<Held<string>>,
  report: Report,
): Promise<TensorStore> {
  const places = [...held].map((each) => ({ ...each, place: store.get(each.place)!.name }));
  await checkTied(places, report);
  const found = joinRows(places, (name) => store.get(name)!.weight);
  const tensors = [];
  for (const tensor of store) {
    const weight = found.get(tensor.name);
    tensors.push(
      weight
        ? { ...tensor, weight: await convertedTo(weight, tensor.weight.dtype, tensor.name, report) }
        : tensor,
    );
  }
  report.throwIfErrors();
  return new TensorStore(tensors, store);
}

/** Tells tensors that several layers fill, as weights that are tied, with different values. */
async function checkTied(held: readonly Held<string>[], report: Report): Promise<void> {
  const first = new Map<string, Weight>();
  for (const { place, row, weight } of held) {
    const key = JSON.stringify([place, row]);
    const known = first.get(key) ?? weight;
    first.set(key, known);
    if (known.same(weight) || (await digestOf(known)) === (await digestOf(weight))) continue;
    report.add(
      weightsDiagnostics.diagnostic('tied', {
        message: `Several layers hold different values for ${place}, which is one tensor.`,
        origin: { file: '', node: place },
      }),
    );
  }
}

/** Where the weights of a source go in a target. Tells what has no place, and what no source. */
async function newWeights<P>(
  target: Side<P>,
  file: string,
  { weights, like, allow = {}, ...hints }: Application,
  report: Report,
): Promise<readonly Held<P>[]> {
  const files = { target: file, source: weights.file };
  const held = async <S>(source: Side<S>) => {
    const found = await pairSides(target, source, hints);
    // The old values show what a normalisation was computed with.
    const isShown = like && hints.epsilon === undefined;
    const pairing = isShown ? { ...found, matches: await withEpsilons(found.matches) } : found;
    reportGrounds(pairing, files, report);
    reportUnfound(pairing, files, allow, report);
    return heldBy(pairing, files, allow, report);
  };
  if (like) {
    checkLike(like, weights, file, allow, report);
    const old = await held(checkpointSide(named(like.store), hints.rules));
    report.throwIfErrors();
    return old.map((each) => ({
      ...each,
      weight: substituted(each.weight, ({ name }) => weights.store.get(name!)?.weight),
    }));
  }
  const found = await (isModel(weights)
    ? held(await modelSide(weights))
    : held(checkpointSide(weights.store, hints.rules)));
  report.throwIfErrors();
  return found;
}

/** Whether new weights have all that old ones have, under the same names and in the same shapes. */
function checkLike(
  like: Checkpoint,
  weights: Model | Checkpoint,
  file: string,
  allow: Allowed,
  report: Report,
): void {
  for (const { name, weight, role } of like.store) {
    if (role === 'optimizer' || isUnread(name, weight)) continue;
    const origin = { file: weights.file, node: name };
    const fresh = weights.store.get(name)?.weight;
    if (!fresh && !isNamedBy(name, allow.missing ?? []))
      report.add(
        weightsDiagnostics.diagnostic('missing', {
          message: `${weights.file} has no ${name}, ${typeText(weight)}, which ${like.file} has.`,
          origin,
        }),
      );
    else if (fresh && fresh.shape.join() !== weight.shape.join())
      report.add(
        weightsDiagnostics.diagnostic('shape', {
          message: `${name} is ${typeText(fresh)} in ${weights.file} and ${typeText(weight)} in ${like.file}.`,
          origin,
        }),
      );
  }
  for (const tensor of weights.store)
    if (tensor.role !== 'optimizer' && !like.store.has(tensor.name))
      reportExtra(tensor, { target: file, source: weights.file }, allow, report);
}

/** The same tensors, each known by its name there, whatever it is made of. */
function named(store: TensorStore): TensorStore {
  const tensors = [...store].map((tensor) => {
    const { dtype, shape, handle } = tensor.weight;
    return { ...tensor, weight: Weight.stored(dtype, shape, tensor.name, handle) };
  });
  return new TensorStore(tensors, store);
}

async function heldBy<P, S>(
  { matches, links, unlinked }: Pairing<P, S>,
  files: Files,
  allow: Allowed,
  report: Report,
): Promise<readonly Held<P>[]> {
  const { held, unknown } = await settleConstants(unlinked, matches);
  for (const { name, weight } of unknown)
    if (!isNamedBy(name, allow.missing ?? []))
      report.add(
        weightsDiagnostics.diagnostic('missing', {
          message: `${files.source} has nothing for ${name}, ${typeText(weight)}, which may be computed from weights that change.`,
          origin: { file: files.target, node: name },
        }),
      );
  return [
    ...matches.flatMap(({ fit }) =>
      [...fit.source.parts].flatMap(([role, part]) => fit.target.held(role, part) ?? []),
    ),
    ...links.map(({ target, source, firstRow }): Held<P> => {
      const { shape } = target.weight;
      if (firstRow === undefined)
        return { place: target.place, weight: source.weight.reshape(shape), row: [0, 1] };
      const width = source.weight.shape[1]!;
      const rows = source.weight.slice(0, firstRow, sizeOf(shape) / width);
      return { place: target.place, weight: rows.reshape(shape), row: [0, 1] };
    }),
    ...held,
  ];
}
