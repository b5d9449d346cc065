import {
  Model,
  Report,
  sizeOf,
  TensorStore,
  Weight,
  type Checkpoint,
  type Value,
} from '@drover/core';
import { convertedTo } from './converted.js';
import { weightsDiagnostics } from './diagnostics.js';
import { constantAt, setConstant } from './operand.js';
import type { Held } from './layer.js';
import type { Hints } from './match-as-exported.js';
import { settleConstants } from './loose-constants.js';
import { isNamedBy } from './name-pattern.js';
import { pairSides, type Pairing, type Side } from './pair-sides.js';
import { joinRows } from './join-rows.js';
import { reportPairing, type Allowed } from './report-pairing.js';
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
  const { format, versions, producer, file, metadata } = onto;
  return new Model(new Map([[onto.main, target.graph]]), {
    main: onto.main,
    format,
    versions,
    producer,
    file,
    metadata,
  });
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
  const named = [...held].map((each) => ({ ...each, place: store.get(each.place)!.name }));
  const found = joinRows(named, (name) => store.get(name)!.weight);
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

/** Where the weights of a source go in a target. Tells what has no place, and what no source. */
async function newWeights<P>(
  target: Side<P>,
  file: string,
  { weights, like, allow = {}, rules, epsilon }: Application,
  report: Report,
): Promise<readonly Held<P>[]> {
  const files = { target: file, source: weights.file };
  if ('graphs' in weights) {
    const source = await modelSide(weights);
    const pairing = await pairSides(target, source, { rules, epsilon });
    reportPairing(pairing, files, allow, report);
    const held = await heldBy(pairing, files, allow, report);
    report.throwIfErrors();
    return held;
  }
  const source = checkpointSide(like ? named(like.store) : weights.store, rules);
  const pairing = await pairSides(target, source, { rules, epsilon });
  reportPairing(pairing, files, allow, report);
  const held = await heldBy(pairing, files, allow, report);
  report.throwIfErrors();
  if (!like) return held;
  return held.map((each) => ({
    ...each,
    weight: substituted(each.weight, ({ name }) => weights.store.get(name!)?.weight),
  }));
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
  files: { readonly target: string; readonly source: string },
  allow: Allowed,
  report: Report,
): Promise<readonly Held<P>[]> {
  const { held, unknown } = await settleConstants(unlinked, matches);
  for (const { name, weight } of unknown)
    if (!isNamedBy(name, allow.missing ?? []))
      report.add(
        weightsDiagnostics.diagnostic('missing', {
          message: `${files.source} has nothing for ${name}, ${weight.dtype}[${weight.shape.join(', ')}], which may be computed from weights that change.`,
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
