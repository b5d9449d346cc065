import { Model, Report, TensorStore, type Checkpoint, type Weight } from '@drover/core';
import { convertedTo } from './converted.js';
import type { Operand } from './graph-layers.js';
import type { Held } from './layer.js';
import { pairSides, type Pairing, type Side } from './pair-sides.js';
import { joinRows } from './join-rows.js';
import { reportPairing, type Allowed } from './report-pairing.js';
import { checkpointSide, modelSide } from './sides.js';
import { substituted } from './substitute.js';

/** What carries its tensors into what. */
export interface Application {
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
 * Which tensor is whose is found (see {@link matchLayers}); no elements are read unless names leave
 * something open. Throws a ConversionError that names every tensor without a source, without a
 * place, of another shape, or of which nothing tells where it belongs.
 */
export async function applyToModel(onto: Model, application: Application): Promise<Model> {
  const { report = new Report() } = application;
  const target = await modelSide(onto);
  const found = await newWeights(target, onto.file, application, report, target.isOrdered);
  for (const [{ graph, node, index }, weight] of joinRows(found, ownWeight)) {
    const own = node.inputs[index]!;
    const name = weight.name ?? own.name;
    graph.setInput(
      node,
      index,
      graph.constant(await convertedTo(weight, own.dtype, own.name, report), name, own.origin),
    );
  }
  report.throwIfErrors();
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

const ownWeight = ({ node, index }: Operand): Weight => node.inputs[index]!.constant!;

/** A checkpoint with other weights, under its own names and layouts; see {@link applyToModel}. */
export async function applyToCheckpoint(
  onto: Checkpoint,
  application: Application,
): Promise<Checkpoint> {
  const { report = new Report() } = application;
  const target = checkpointSide(onto.store);
  const found = await newWeights(target, onto.file, application, report, () => true);
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
  { weights, like, allow = {} }: Application,
  report: Report,
  isOrdered: Parameters<typeof pairSides<P, unknown>>[2],
): Promise<readonly Held<P>[]> {
  const files = { target: file, source: weights.file };
  if ('graphs' in weights) {
    const source = await modelSide(weights);
    const pairing = await pairSides(target, source, isOrdered);
    reportPairing(pairing, files, source.layers, allow, report);
    return heldBy(pairing);
  }
  const known = like ?? weights;
  const source = checkpointSide(known.store);
  const pairing = await pairSides(target, source, isOrdered);
  reportPairing(pairing, files, source.layers, allow, report);
  report.throwIfErrors();
  const held = heldBy(pairing);
  if (!like) return held;
  return held.map((each) => ({
    ...each,
    weight: substituted(each.weight, ({ name }) => weights.store.get(name!)?.weight),
  }));
}

function heldBy<P, S>({ matches, links }: Pairing<P, S>): readonly Held<P>[] {
  return [
    ...matches.flatMap(({ fit }) =>
      [...fit.source.parts].flatMap(([role, part]) => fit.target.held(role, part) ?? []),
    ),
    ...links.map(({ target, source, firstRow }): Held<P> => {
      const { shape } = target.weight;
      const width = source.weight.shape[1]!;
      const rows = shape.reduce((a, b) => a * b, 1) / width;
      const part = firstRow === undefined ? source.weight : source.weight.slice(0, firstRow, rows);
      return { place: target.place, weight: part.reshape(shape), row: [0, 1] };
    }),
  ];
}

