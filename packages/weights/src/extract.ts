import {
  Report,
  sizeOf,
  sourcesOf,
  TensorStore,
  Weight,
  type Checkpoint,
  type Model,
} from '@drover/core';
import { filled } from './apply.js';
import { weightsDiagnostics } from './diagnostics.js';
import type { Held } from './layer.js';
import { isNamedBy } from './name-pattern.js';
import { pairSides } from './pair-sides.js';
import { isUnread, reportGrounds, typeText, type Allowed } from './report-pairing.js';
import type { Rules } from './rules.js';
import { checkpointSide, modelSide } from './sides.js';

/** What is taken out of a model, and under which names. */
export interface Extraction {
  /** Names, layouts, types and nesting of what is made; its values help to find what is whose. */
  readonly like: Checkpoint;
  readonly allow?: Allowed | undefined;
  readonly rules?: Rules | undefined;
  readonly report?: Report | undefined;
}

/**
 * The weights of a model as a checkpoint of the framework that it came from: the names, layouts and
 * types of `like`, the values of the model. Tensors that only training reads are those of `like`;
 * the optimizer's are left out. Throws a ConversionError that names every tensor that the model
 * does not hold, or not whole.
 */
export async function extractWeights(
  model: Model,
  { like, allow = {}, rules, report = new Report() }: Extraction,
): Promise<Checkpoint> {
  const [target, source] = [await modelSide(model), checkpointSide(like.store, rules)];
  const pairing = await pairSides(target, source, { rules });
  const held: Held<string>[] = [];
  reportGrounds(pairing, { target: model.file, source: like.file }, report);
  for (const { fit } of pairing.matches)
    for (const [role, part] of fit.target.parts) {
      const found = fit.source.held(role, part);
      if (found && sourcesOf(part).length > 0) held.push(found);
    }
  for (const { target: from, source: to, firstRow } of pairing.links) {
    const { shape } = to.weight;
    if (firstRow === undefined)
      held.push({ place: to.place, weight: from.weight.reshape(shape), row: [0, 1] });
    else if (isNamedBy(to.name, allow.missing ?? [])) {
      const rows = from.weight.reshape([sizeOf(from.weight.shape) / shape[1]!, shape[1]!]);
      held.push({ place: to.place, weight: withRows(to.weight, rows, firstRow), row: [0, 1] });
    }
  }
  const known = new Set(held.map(({ place }) => like.store.get(place)!.name));
  for (const { name, weight, role } of like.store) {
    if (known.has(name) || role === 'optimizer' || isNamedBy(name, allow.missing ?? [])) continue;
    const origin = { file: model.file, node: name };
    report.add(
      isUnread(name, weight)
        ? weightsDiagnostics.diagnostic('kept', {
            message: `${name} is read by training alone; it is that of ${like.file}.`,
            origin,
          })
        : weightsDiagnostics.diagnostic('missing', {
            message: `${model.file} does not hold ${name}, ${typeText(weight)}, as a tensor of its own.`,
            origin,
          }),
    );
  }
  for (const { title, tensors } of pairing.missing)
    if (!tensors.every((name) => isNamedBy(name, allow.extra ?? [])))
      report.add(
        weightsDiagnostics.diagnostic('extra', {
          message: `${title} of ${model.file} has no place in ${like.file}.`,
          origin: { file: model.file, node: title },
        }),
      );
  report.throwIfErrors();
  const store = await filled(like.store, held, report);
  const isOptimizer = [...store].some(({ role }) => role === 'optimizer');
  return {
    ...like,
    store: new TensorStore(
      [...store].filter(({ role }) => role !== 'optimizer'),
      isOptimizer ? { metadata: store.metadata } : store,
    ),
  };
}

/** A table with some of its rows replaced. */
function withRows(table: Weight, rows: Weight, first: number): Weight {
  const [size, end] = [table.shape[0]!, first + rows.shape[0]!];
  const kept = (start: number, count: number) => (count > 0 ? [table.slice(0, start, count)] : []);
  return Weight.concat([...kept(0, first), rows, ...kept(end, size - end)], 0);
}
